//! Writes an MP4 with one H.264 track: samples first, the index at the end.

use std::io::{self, Seek, SeekFrom, Write};

use super::boxes::boxed;

/// Units per second of all times. Every usual frame rate has whole units: 1/25 s is 3,600, 1001/30000 s is 3,003.
const TIMESCALE: u32 = 90_000;

/// Position of the length of the samples' box.
const LENGTH_AT: u64 = FTYP.len() as u64 + 8;

/// "This is an MP4 of the first edition, with H.264."
const FTYP: [u8; 28] = *b"\0\0\0\x1cftypisom\0\0\x02\0isomiso2avc1";

/// No turn and no scale, in the fixed-point numbers of the format.
const UPRIGHT: [u32; 9] = [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000];

/// Writes samples; [`Writer::finish`] makes the file playable.
#[derive(Debug)]
pub struct Writer<W> {
    file: W,
    sizes: Vec<u32>,
    /// In [`TIMESCALE`].
    times: Vec<u64>,
    /// Key frames, counted from 1.
    keys: Vec<u32>,
    bytes: u64,
}

impl<W: Write + Seek> Writer<W> {
    /// Begins the file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn new(mut file: W) -> io::Result<Self> {
        file.write_all(&FTYP)?;
        // A length of 1 says that eight bytes of length follow the name.
        file.write_all(b"\0\0\0\x01mdat\0\0\0\0\0\0\0\0")?;
        Ok(Self { file, sizes: Vec::new(), times: Vec::new(), keys: Vec::new(), bytes: 0 })
    }

    /// Adds a coded frame that is shown at `time_secs`: units with a length of four bytes before each. `is_key` says
    /// that it needs no other frame. Times count from the first frame; a time that does not grow is increased a little.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add(&mut self, units: &[u8], time_secs: f64, is_key: bool) -> io::Result<()> {
        let size = u32::try_from(units.len()).map_err(|_| io::Error::other("a frame of more than 4 GiB"))?;
        self.file.write_all(units)?;
        let time = (time_secs.max(0.0) * f64::from(TIMESCALE)).round() as u64;
        let least = self.times.last().map_or(0, |last| last + 1);
        // A pause of more than half a day cannot be written and is cut short.
        self.times.push(time.clamp(least, least + u64::from(u32::MAX >> 1)));
        self.sizes.push(size);
        self.bytes += u64::from(size);
        if is_key {
            self.keys.push(self.sizes.len() as u32);
        }
        Ok(())
    }

    /// Writes the index, for frames of `width` and `height` and the stream's two descriptions (`sps` and `pps`, without
    /// start codes), and gives the file back.
    ///
    /// # Errors
    /// When it cannot be written, has no frame, or a side or description is longer than the format has room for.
    pub fn finish(mut self, [width, height]: [usize; 2], sps: &[u8], pps: &[u8]) -> io::Result<W> {
        if self.sizes.is_empty() {
            return Err(io::Error::other("no frame was written"));
        }
        let moov = self.moov([width, height], sps, pps).ok_or_else(|| io::Error::other("does not fit into an MP4"))?;
        self.file.write_all(&moov)?;
        self.file.seek(SeekFrom::Start(LENGTH_AT))?;
        self.file.write_all(&(self.bytes + 16).to_be_bytes())?;
        self.file.seek(SeekFrom::End(0))?;
        self.file.flush()?;
        Ok(self.file)
    }

    fn moov(&self, size: [usize; 2], sps: &[u8], pps: &[u8]) -> Option<Vec<u8>> {
        let [width, height] = [u16::try_from(size[0]).ok()?, u16::try_from(size[1]).ok()?];
        let durations = self.durations();
        let duration = u32::try_from(durations.iter().map(|&d| u64::from(d)).sum::<u64>()).unwrap_or(u32::MAX);
        let matrix = numbers(&UPRIGHT);
        let mvhd = [
            &numbers(&[0, 0, 0, TIMESCALE, duration, 0x1_0000, 0x0100_0000, 0, 0])[..],
            &matrix,
            &numbers(&[0, 0, 0, 0, 0, 0, 2]),
        ];
        let tkhd = [
            &numbers(&[3, 0, 0, 1, 0, duration, 0, 0, 0, 0])[..], // flags: enabled and in the movie
            &matrix,
            &numbers(&[u32::from(width) << 16, u32::from(height) << 16]),
        ];
        let hdlr = [&numbers(&[0, 0])[..], b"vide", &[0; 12], b"video\0"];
        let url = boxed(b"url ", &[&numbers(&[1])]); // in this file
        let minf = [
            boxed(b"vmhd", &[&numbers(&[1, 0, 0])]),
            boxed(b"dinf", &[&boxed(b"dref", &[&numbers(&[0, 1]), &url])]),
            boxed(b"stbl", &[&self.stbl([width, height], sps, pps, &durations)?]),
        ];
        let mdia = [
            boxed(b"mdhd", &[&numbers(&[0, 0, 0, TIMESCALE, duration, 0x55c4_0000])]), // no language
            boxed(b"hdlr", &hdlr),
            boxed(b"minf", &[&minf.concat()]),
        ];
        let trak = [boxed(b"tkhd", &tkhd), boxed(b"mdia", &[&mdia.concat()])].concat();
        Some(boxed(b"moov", &[&boxed(b"mvhd", &mvhd), &boxed(b"trak", &[&trak])]))
    }

    /// The tables of samples: all in one chunk, one after another.
    fn stbl(&self, size: [u16; 2], sps: &[u8], pps: &[u8], durations: &[u32]) -> Option<Vec<u8>> {
        let count = u32::try_from(self.sizes.len()).ok()?;
        let runs = durations.chunk_by(|a, b| a == b).map(|run| [run.len() as u32, run[0]]);
        let runs: Vec<_> = runs.flatten().collect();
        let first_byte = (LENGTH_AT + 8) as u32;
        Some(
            [
                boxed(b"stsd", &[&numbers(&[0, 1]), &description(size, sps, pps)?]),
                boxed(b"stts", &[&numbers(&[0, runs.len() as u32 / 2]), &numbers(&runs)]),
                boxed(b"stss", &[&numbers(&[0, self.keys.len() as u32]), &numbers(&self.keys)]),
                boxed(b"stsc", &[&numbers(&[0, 1, 1, count, 1])]),
                boxed(b"stsz", &[&numbers(&[0, 0, count]), &numbers(&self.sizes)]),
                boxed(b"stco", &[&numbers(&[0, 1, first_byte])]),
            ]
            .concat(),
        )
    }

    /// How long each frame is shown: until the next; the last as long as the one before it.
    fn durations(&self) -> Vec<u32> {
        let mut durations: Vec<_> = self.times.windows(2).map(|pair| (pair[1] - pair[0]) as u32).collect();
        if !self.times.is_empty() {
            durations.push(durations.last().copied().unwrap_or(TIMESCALE / 25));
        }
        durations
    }
}

/// The `avc1` box.
fn description([width, height]: [u16; 2], sps: &[u8], pps: &[u8]) -> Option<Vec<u8>> {
    let [sps_bytes, pps_bytes] = [u16::try_from(sps.len()).ok()?, u16::try_from(pps.len()).ok()?];
    let [profile, compatible, level] = [*sps.get(1)?, *sps.get(2)?, *sps.get(3)?];
    let avcc = [
        &[1, profile, compatible, level, 0xff, 0xe1][..], // lengths of four bytes, one `sps`
        &sps_bytes.to_be_bytes(),
        sps,
        &[1],
        &pps_bytes.to_be_bytes(),
        pps,
    ];
    Some(boxed(
        b"avc1",
        &[
            &[0, 0, 0, 0, 0, 0, 0, 1], // reserved, then: data is in the first (only) place
            &[0; 16],
            &width.to_be_bytes(),
            &height.to_be_bytes(),
            &numbers(&[0x48_0000, 0x48_0000, 0]), // 72 dots per inch
            &[0, 1],                              // one frame per sample
            &[0; 32],                             // no compressor's name
            &[0, 24, 0xff, 0xff],                 // 24 bits, no colour table
            &boxed(b"avcC", &avcc),
            // BT.601, limited range: what the frames were converted to.
            &boxed(b"colr", &[b"nclx", &[0, 6, 0, 6, 0, 6, 0]]),
        ],
    ))
}

fn numbers(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}
