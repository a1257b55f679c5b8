//! Fragments (`moof`): samples that follow the index, as browsers and streams record them.

use super::boxes::Bytes;
use super::movie::{MAX_SAMPLES, Sample, TOO_MANY};

/// Adds the samples of one track, fragment by fragment.
#[derive(Debug)]
pub struct Fragments {
    track_id: u32,
    defaults: Defaults,
    /// When the next sample is decoded, in the track's units.
    decoded: i64,
}

/// Values of samples that have none of their own.
#[derive(Debug, Clone, Copy, Default)]
struct Defaults {
    duration: u32,
    size: u32,
}

impl Fragments {
    /// For the track `track_id`; `moov` has the defaults of all fragments.
    pub fn new(moov: Bytes, track_id: u32) -> Self {
        let trexs = moov.find(b"mvex").into_iter().flat_map(Bytes::boxes).filter(|(name, _)| name == b"trex");
        let defaults = trexs.filter_map(|(_, trex)| defaults(trex, track_id).ok().flatten()).next();
        Self { track_id, defaults: defaults.unwrap_or_default(), decoded: 0 }
    }

    /// Adds the samples of the fragment that begins at `offset` in the file.
    pub fn add(&mut self, moof: Bytes, offset: u64, samples: &mut Vec<Sample>) -> Result<(), String> {
        for (_, traf) in moof.boxes().filter(|(name, _)| name == b"traf") {
            let mut tfhd = traf.need(b"tfhd")?;
            let (_, flags) = tfhd.version_and_flags()?;
            if tfhd.u32()? != self.track_id {
                continue;
            }
            let base = if flags & 0x1 != 0 { tfhd.u64()? } else { offset };
            let mut optional = |flag: u32| if flags & flag != 0 { tfhd.u32().map(Some) } else { Ok(None) };
            optional(0x2)?; // description
            let duration = optional(0x8)?.unwrap_or(self.defaults.duration);
            let size = optional(0x10)?.unwrap_or(self.defaults.size);
            if let Some(mut tfdt) = traf.find(b"tfdt") {
                let (version, _) = tfdt.version_and_flags()?;
                self.decoded = tfdt.long(version)?.cast_signed();
            }
            let mut at = base;
            for (_, trun) in traf.boxes().filter(|(name, _)| name == b"trun") {
                self.add_run(trun, base, &mut at, Defaults { duration, size }, samples)?;
            }
        }
        Ok(())
    }

    /// Samples that lie one after another, from `base` plus what the run says, or from where the last run ended.
    fn add_run(
        &mut self,
        mut trun: Bytes,
        base: u64,
        at: &mut u64,
        defaults: Defaults,
        samples: &mut Vec<Sample>,
    ) -> Result<(), String> {
        let (_, flags) = trun.version_and_flags()?;
        let count = trun.u32()?;
        if flags & 0x1 != 0 {
            *at = base.saturating_add_signed(trun.i32()?.into());
        }
        let mut optional = |flag: u32| if flags & flag != 0 { trun.u32().map(Some) } else { Ok(None) };
        optional(0x4)?; // flags of the first sample
        for _ in 0..count {
            let duration = optional(0x100)?.unwrap_or(defaults.duration);
            let size = optional(0x200)?.unwrap_or(defaults.size);
            optional(0x400)?; // flags
            let shift = optional(0x800)?.unwrap_or(0).cast_signed();
            if samples.len() == MAX_SAMPLES {
                return Err(TOO_MANY.into());
            }
            samples.push(Sample { offset: *at, size, time: self.decoded.saturating_add(shift.into()) });
            *at = at.saturating_add(size.into());
            self.decoded = self.decoded.saturating_add(duration.into());
        }
        Ok(())
    }
}

/// The values of a `trex` box, if it is for our track.
fn defaults(mut trex: Bytes, track_id: u32) -> Result<Option<Defaults>, String> {
    trex.version_and_flags()?;
    let is_ours = trex.u32()? == track_id;
    trex.u32()?; // description
    let (duration, size) = (trex.u32()?, trex.u32()?);
    Ok(is_ours.then_some(Defaults { duration, size }))
}
