//! Reads an application, chooses components, binds, lays out, writes the image.
