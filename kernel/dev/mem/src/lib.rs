//! /dev/null, zero, full, random, urandom.
#![no_std]
