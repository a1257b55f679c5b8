//! The sample tables (`stbl`): size, place and time of each sample, unrolled.

use super::boxes::Bytes;
use super::movie::{MAX_SAMPLES, Sample, TOO_MANY};

/// Unrolls the tables. A file of `file_bytes` holds no more samples than it has bytes, whatever it claims.
pub fn samples(stbl: Bytes, file_bytes: u64) -> Result<Vec<Sample>, String> {
    let sizes = sizes(stbl.need(b"stsz")?, file_bytes)?;
    let mut samples: Vec<_> = sizes.into_iter().map(|size| Sample { offset: 0, size, time: 0 }).collect();
    place(stbl, &mut samples)?;
    time(stbl, &mut samples)?;
    Ok(samples)
}

fn sizes(mut stsz: Bytes, file_bytes: u64) -> Result<Vec<u32>, String> {
    stsz.version_and_flags()?;
    let (same, count) = (stsz.u32()?, stsz.u32()?);
    if count as usize > MAX_SAMPLES {
        return Err(TOO_MANY.into());
    }
    if same == 0 {
        let table = stsz.take(count as usize * 4)?.as_chunks::<4>().0;
        return Ok(table.iter().map(|size| u32::from_be_bytes(*size)).collect());
    }
    if u64::from(count) * u64::from(same) > file_bytes {
        return Err("its frames are larger than the file: it is cut off, or its index is damaged".into());
    }
    Ok(vec![same; count as usize])
}

/// Each chunk has a position; the samples in a chunk follow one after another.
fn place(stbl: Bytes, samples: &mut [Sample]) -> Result<(), String> {
    let mut stsc = stbl.need(b"stsc")?;
    stsc.version_and_flags()?;
    let runs = stsc.u32()? as usize;
    // First chunk counted from 1, samples per chunk, description.
    let mut runs = stsc.take(runs.saturating_mul(12))?.as_chunks::<12>().0.iter().map(|run| {
        let number = |at: usize| u32::from_be_bytes([run[at], run[at + 1], run[at + 2], run[at + 3]]);
        (u64::from(number(0)), number(4))
    });
    let mut run = runs.next();
    let mut per_chunk = 0;
    let mut left = samples.iter_mut();
    for (chunk, mut offset) in (1..).zip(chunk_offsets(stbl)?) {
        while let Some((first, count)) = run
            && first <= chunk
        {
            per_chunk = count;
            run = runs.next();
        }
        for sample in left.by_ref().take(per_chunk as usize) {
            sample.offset = offset;
            offset = offset.saturating_add(u64::from(sample.size));
        }
    }
    match left.len() {
        0 => Ok(()),
        n => Err(format!("its index is damaged: it does not say where {n} frames lie")),
    }
}

fn chunk_offsets(stbl: Bytes) -> Result<Vec<u64>, String> {
    let (mut table, wide) = match stbl.find(b"co64") {
        Some(table) => (table, true),
        None => (stbl.need(b"stco")?, false),
    };
    table.version_and_flags()?;
    let count = table.u32()? as usize;
    if table.rest().len() / if wide { 8 } else { 4 } < count {
        return Err("its index is damaged: a table ends early".into());
    }
    (0..count).map(|_| table.long(u8::from(wide))).collect()
}

/// Decoding times are sums of durations; a table of shifts leads from them to the times of showing. A table that ends
/// early continues with its last value.
fn time(stbl: Bytes, samples: &mut [Sample]) -> Result<(), String> {
    let mut shifts = Runs::new(stbl.find(b"ctts"))?;
    let mut deltas = Runs::new(Some(stbl.need(b"stts")?))?;
    let mut decoded = 0i64;
    for sample in samples {
        // In version 0 of the table shifts are unsigned, but some writers use the same bits for negative ones. No shift
        // is so large that it could be mistaken.
        sample.time = decoded.saturating_add(i64::from(shifts.next().cast_signed()));
        decoded = decoded.saturating_add(i64::from(deltas.next()));
    }
    Ok(())
}

/// Pairs of a count and a value.
struct Runs<'a> {
    table: Bytes<'a>,
    left: u32,
    value: u32,
}

impl<'a> Runs<'a> {
    fn new(table: Option<Bytes<'a>>) -> Result<Self, String> {
        let mut table = table.unwrap_or(Bytes::new(&[0; 8]));
        table.version_and_flags()?;
        table.u32()?;
        Ok(Self { table, left: 0, value: 0 })
    }

    fn next(&mut self) -> u32 {
        while self.left == 0 {
            let (Ok(count), Ok(value)) = (self.table.u32(), self.table.u32()) else { return self.value };
            (self.left, self.value) = (count, value);
        }
        self.left -= 1;
        self.value
    }
}
