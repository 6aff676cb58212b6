//! `rb_image`: the table of contents as bytes, field by field as `rump_image` declares it.

use rump_image::{AppInfo, ImageInfo, RumpInfo, Segment, Span};

/// Bytes of the table about a rump kernel.
pub(crate) const RUMP_LEN: usize = size_of::<RumpInfo>();

/// Bytes of the table.
pub(crate) const LEN: usize = size_of::<ImageInfo>();

struct Out(Vec<u8>);

impl Out {
    fn u64(&mut self, value: u64) {
        self.0.extend(value.to_le_bytes());
    }

    fn u32(&mut self, value: u32) {
        self.0.extend(value.to_le_bytes());
    }

    fn span(&mut self, span: Span) {
        self.u64(span.start);
        self.u64(span.len);
    }

    fn segment(&mut self, segment: &Segment) {
        let Segment { va, len, phys, file_len, prot, layer } = *segment;
        for value in [va, len, phys, file_len] {
            self.u64(value);
        }
        self.u32(prot);
        self.u32(layer);
    }

    fn app(&mut self, app: &AppInfo) {
        let AppInfo {
            entry,
            elf_entry,
            phdr,
            phnum,
            segment_count,
            brk_start,
            stack_size,
            gate_word,
            segments,
        } = app;
        for value in [entry, elf_entry, phdr] {
            self.u64(*value);
        }
        self.u32(*phnum);
        self.u32(*segment_count);
        for value in [brk_start, stack_size, gate_word] {
            self.u64(*value);
        }
        segments.iter().for_each(|segment| self.segment(segment));
    }
}

/// The bytes of the table about a rump kernel.
pub(crate) fn rump_bytes(info: &RumpInfo) -> Vec<u8> {
    let RumpInfo { constructors, tls_image, tls_len, tls_align, components, modules } = *info;
    let mut out = Out(Vec::with_capacity(RUMP_LEN));
    out.span(constructors);
    out.span(tls_image);
    out.u64(tls_len);
    out.u64(tls_align);
    out.span(components);
    out.span(modules);
    out.0
}

/// The table's bytes. The patterns name every field, so a new one cannot be forgotten.
pub(crate) fn bytes(info: &ImageInfo) -> Vec<u8> {
    let ImageInfo {
        magic,
        image_start,
        image_end,
        kernel_text,
        kernel_rodata,
        kernel_data,
        config,
        root,
        symbols,
        app,
    } = info;
    let mut out = Out(Vec::with_capacity(LEN));
    for value in [magic, image_start, image_end] {
        out.u64(*value);
    }
    for span in [kernel_text, kernel_rodata, kernel_data, config, root, symbols] {
        out.span(*span);
    }
    out.app(app);
    out.0
}

#[cfg(test)]
mod tests {
    use std::mem::offset_of;

    use rump_image::{AppInfo, ImageInfo, MAX_SEGMENTS, Segment, Span};

    #[test]
    fn every_field_lies_where_the_kernel_reads_it() {
        let span = |start| Span { start, len: start + 1 };
        let segment = Segment { va: 30, len: 31, phys: 32, file_len: 33, prot: 34, layer: 35 };
        let info = ImageInfo {
            magic: ImageInfo::MAGIC,
            image_start: 1,
            image_end: 2,
            kernel_text: span(3),
            kernel_rodata: span(5),
            kernel_data: span(7),
            config: span(9),
            root: span(11),
            symbols: span(13),
            app: AppInfo {
                entry: 20,
                elf_entry: 21,
                phdr: 22,
                phnum: 23,
                segment_count: 24,
                brk_start: 25,
                stack_size: 26,
                gate_word: 27,
                segments: [segment; MAX_SEGMENTS],
            },
        };
        let bytes = super::bytes(&info);
        assert_eq!(bytes.len(), super::LEN);
        let app = offset_of!(ImageInfo, app);
        let last = app + offset_of!(AppInfo, segments) + (MAX_SEGMENTS - 1) * size_of::<Segment>();
        for (at, value) in [
            (0, ImageInfo::MAGIC),
            (offset_of!(ImageInfo, image_end), 2),
            (offset_of!(ImageInfo, kernel_data), 7),
            (offset_of!(ImageInfo, symbols) + 8, 14),
            (app + offset_of!(AppInfo, phnum), 24 << 32 | 23),
            (app + offset_of!(AppInfo, gate_word), 27),
            (last + offset_of!(Segment, file_len), 33),
            (last + offset_of!(Segment, prot), 35 << 32 | 34),
        ] {
            assert_eq!(u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()), value, "at {at}");
        }
    }
}
