//! What the system says about the device: processor, cores, instruction sets, heat, memory. Whatever it hides is left
//! out; Linux and Android only.

use std::fs;
use std::path::Path;
use std::thread;

use serde::Serialize;

/// The processor.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Device {
    /// Architecture of this program, as `aarch64`.
    pub architecture: &'static str,
    /// The name of the processor or of the chip, where `/proc/cpuinfo` has one.
    pub processor: Option<String>,
    /// What the caller knows: the model of a phone.
    pub model: Option<String>,
    /// Each core.
    pub cores: Vec<Core>,
    /// Instruction sets that matter here and that the processor has.
    pub features: Vec<&'static str>,
    /// The instruction set of the kernels that run.
    pub kernels: &'static str,
}

/// One core.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Core {
    /// Its highest clock.
    pub max_mhz: Option<u64>,
    /// On ARM its kind, as a name or as implementer and part.
    pub kind: Option<String>,
}

impl Device {
    /// Asks the system.
    pub fn read() -> Self {
        let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let count = thread::available_parallelism().map_or(1, usize::from);
        Self {
            architecture: std::env::consts::ARCH,
            processor: value(&cpuinfo, "model name").or_else(|| value(&cpuinfo, "Hardware")),
            model: None,
            cores: cores(Path::new("/sys/devices/system/cpu"), &cpuinfo, count),
            features: features(),
            kernels: lineament_nn::simd::level_name(),
        }
    }
}

/// The first value of `key` in a text of lines `key : value`.
fn value(text: &str, key: &str) -> Option<String> {
    let mut pairs = text.lines().filter_map(|line| line.split_once(':'));
    let (_, value) = pairs.find(|(name, value)| name.trim() == key && !value.trim().is_empty())?;
    Some(value.trim().to_owned())
}

/// The cores that the system lists, or `count` of which nothing is known.
fn cores(folder: &Path, cpuinfo: &str, count: usize) -> Vec<Core> {
    let kinds: Vec<Option<String>> =
        cpuinfo.split("\n\n").filter(|part| part.contains("processor")).map(kind).collect();
    (0..count.max(kinds.len()))
        .map(|number| {
            let khz = fs::read_to_string(folder.join(format!("cpu{number}/cpufreq/cpuinfo_max_freq")));
            let max_mhz = khz.ok().and_then(|khz| khz.trim().parse::<u64>().ok()).map(|khz| khz / 1000);
            Core { max_mhz, kind: kinds.get(number).cloned().flatten() }
        })
        .collect()
}

/// The kind of an ARM core from its part of `/proc/cpuinfo`.
fn kind(part: &str) -> Option<String> {
    let (implementer, part) = (value(part, "CPU implementer")?, value(part, "CPU part")?);
    let known = PARTS.iter().find(|(id, _)| implementer == "0x41" && part == *id);
    Some(known.map_or_else(|| format!("{implementer}:{part}"), |(_, name)| (*name).to_owned()))
}

/// Cores of Arm Ltd in phones since 2016, by their part number (Arm's technical reference manuals, register MIDR_EL1).
const PARTS: [(&str, &str); 21] = [
    ("0xd03", "Cortex-A53"),
    ("0xd04", "Cortex-A35"),
    ("0xd05", "Cortex-A55"),
    ("0xd08", "Cortex-A72"),
    ("0xd09", "Cortex-A73"),
    ("0xd0a", "Cortex-A75"),
    ("0xd0b", "Cortex-A76"),
    ("0xd0d", "Cortex-A77"),
    ("0xd41", "Cortex-A78"),
    ("0xd44", "Cortex-X1"),
    ("0xd46", "Cortex-A510"),
    ("0xd47", "Cortex-A710"),
    ("0xd48", "Cortex-X2"),
    ("0xd4d", "Cortex-A715"),
    ("0xd4e", "Cortex-X3"),
    ("0xd80", "Cortex-A520"),
    ("0xd81", "Cortex-A720"),
    ("0xd82", "Cortex-X4"),
    ("0xd85", "Cortex-X925"),
    ("0xd87", "Cortex-A725"),
    ("0xd4b", "Cortex-A78C"),
];

#[cfg(target_arch = "aarch64")]
fn features() -> Vec<&'static str> {
    use std::arch::is_aarch64_feature_detected as has;
    let found = [
        ("neon", has!("neon")),
        ("fp16", has!("fp16")),
        ("dotprod", has!("dotprod")),
        ("i8mm", has!("i8mm")),
        ("bf16", has!("bf16")),
        ("sve", has!("sve")),
        ("sve2", has!("sve2")),
    ];
    found.into_iter().filter_map(|(name, has)| has.then_some(name)).collect()
}

#[cfg(target_arch = "x86_64")]
fn features() -> Vec<&'static str> {
    use std::arch::is_x86_feature_detected as has;
    let found = [
        ("sse4.1", has!("sse4.1")),
        ("avx2", has!("avx2")),
        ("fma", has!("fma")),
        ("avxvnni", has!("avxvnni")),
        ("avx512f", has!("avx512f")),
        ("avx512vnni", has!("avx512vnni")),
    ];
    found.into_iter().filter_map(|(name, has)| has.then_some(name)).collect()
}

#[cfg(not(any(target_arch = "aarch64", target_arch = "x86_64")))]
fn features() -> Vec<&'static str> {
    Vec::new()
}

/// The hottest sensor that can be read, in degrees Celsius. Many phones hide all of them from apps.
pub fn temperature_celsius() -> Option<f64> {
    hottest(Path::new("/sys/class/thermal"))
}

/// Readings outside this range are no temperatures: some zones report limits or currents. Chosen with room to spare.
const SENSIBLE: std::ops::Range<f64> = 1.0..150.0;

fn hottest(folder: &Path) -> Option<f64> {
    let readings = fs::read_dir(folder).ok()?.filter_map(|zone| {
        let text = fs::read_to_string(zone.ok()?.path().join("temp")).ok()?;
        let celsius = text.trim().parse::<f64>().ok()? / 1000.0;
        SENSIBLE.contains(&celsius).then_some(celsius)
    });
    readings.max_by(f64::total_cmp)
}

/// Memory of this process, in KiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Memory {
    /// Now.
    pub now_kib: u64,
    /// At most so far.
    pub peak_kib: u64,
}

impl Memory {
    /// Asks the system; `None` where it does not say.
    pub fn read() -> Option<Self> {
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let kib = |key| value(&status, key)?.strip_suffix("kB")?.trim().parse().ok();
        Some(Self { now_kib: kib("VmRSS")?, peak_kib: kib("VmHWM")? })
    }

    /// Forgets the peak, where the system allows it.
    pub fn forget_peak() {
        let _ = fs::write("/proc/self/clear_refs", "5");
    }

    /// What the system could still give to a process, in KiB.
    pub fn available_kib() -> Option<u64> {
        let text = fs::read_to_string("/proc/meminfo").ok()?;
        value(&text, "MemAvailable")?.strip_suffix("kB")?.trim().parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PHONE: &str = "processor\t: 0\nBogoMIPS\t: 38.40\nCPU implementer\t: 0x41\nCPU part\t: 0xd05\n\n\
                         processor\t: 1\nCPU implementer\t: 0x51\nCPU part\t: 0x001\n\nHardware\t: Chip 7\n";
    const DESKTOP: &str = "processor\t: 0\nmodel name\t: Some CPU @ 2.0GHz\n\n";

    #[test]
    fn processors_are_read() {
        assert_eq!(value(PHONE, "Hardware").as_deref(), Some("Chip 7"));
        assert_eq!(value(DESKTOP, "model name").as_deref(), Some("Some CPU @ 2.0GHz"));
        let nowhere = Path::new("/nonexistent");
        let kinds: Vec<_> = cores(nowhere, PHONE, 1).into_iter().map(|core| core.kind).collect();
        assert_eq!(kinds, [Some("Cortex-A55".to_owned()), Some("0x51:0x001".to_owned())]);
        assert_eq!(cores(nowhere, "", 3), vec![Core { max_mhz: None, kind: None }; 3]);
    }

    #[test]
    fn this_device_has_a_core_and_memory() {
        let device = Device::read();
        assert!(!device.cores.is_empty() && !device.kernels.is_empty(), "{device:?}");
        assert!(Memory::read().is_none_or(|memory| 0 < memory.now_kib && memory.now_kib <= memory.peak_kib));
    }
}
