use std::fmt::Write as _;
use std::io::{Error, ErrorKind, Result, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use damon_sys as sys;

use crate::structs::micros;
use crate::{Region, Snapshot};

const MAGIC: &[u8; 8] = b"DAMONREC";
const WINDOW: u8 = 1;
const END: u8 = 4; // an event
const CONSTANT: u8 = 16; // added to a width: one number for all regions
const WINDOW_FIELDS: &str = r#"["time_ns","wall_ns","seq","window_us","sample_us","aggr_us","max_nr_accesses","nr_targets","flags","nr_regions"]"#;
const REGION_FIELDS: &str =
    r#"["target_idx","gap","size","nr_accesses","age","age_us","idle_us","flags","unknown_reason"]"#;

/// Writes snapshots down as a record, which `damon report`, `damon export` and the Python package read; docs/records.md of
/// the repository describes the file. Whole windows are written, so that a killed program loses the last one at most.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let table = damon::SharedVec::from_elem(0u8, 1 << 20)?;
/// let watch = damon::Context::builder().range(table.range()).start()?;
/// let (mut file, mut buffer) = (Vec::new(), damon::SnapshotBuffer::new()); // or a std::fs::File
/// let mut record = damon::RecordWriter::new(&mut file);
/// watch.wait_snapshot(0, None)?;
/// record.write(&watch.snapshot(&mut buffer)?)?;
/// record.finish()?;
/// assert!(file.starts_with(b"DAMONREC"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct RecordWriter<W: Write> {
    writer: W,
    seq: u64,
    last_ns: u64,
    wall_ns: Option<u64>, // of the moment at which the snapshots' clock was 0; None: nothing is written yet
}

impl<W: Write> RecordWriter<W> {
    /// The file begins with the first snapshot.
    pub fn new(writer: W) -> Self {
        RecordWriter { writer, seq: 0, last_ns: 0, wall_ns: None }
    }

    /// Writes a snapshot, unless it is the one that was written last or no window has ended yet.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write(&mut self, snapshot: &Snapshot<'_>) -> Result<()> {
        let info = snapshot.info();
        if info.seq == self.seq {
            return Ok(());
        }
        let time_ns = nanos(info.time);
        let base_ns = match self.wall_ns {
            Some(base_ns) => base_ns,
            None => self.begin(time_ns)?,
        };
        let unknown = if info.unknown { sys::DAMON_SNAPSHOT_UNKNOWN } else { 0 };
        let flags = unknown | if info.writes_only { sys::DAMON_SNAPSHOT_WRITES_ONLY } else { 0 };
        let numbers = [
            time_ns,
            base_ns.wrapping_add(time_ns),
            info.seq,
            micros(info.window),
            micros(info.sample),
            micros(info.aggregation),
            u64::from(info.max_nr_accesses),
            info.nr_targets as u64,
            u64::from(flags),
            snapshot.len() as u64,
        ];
        let mut payload: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        columns(snapshot.regions(), &mut payload);
        self.frame(WINDOW, &payload)?;
        (self.seq, self.last_ns) = (info.seq, time_ns);
        Ok(())
    }

    /// Says in the record that this is its end, flushes it and gives the writer back.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn finish(mut self) -> Result<W> {
        if self.wall_ns.is_none() {
            self.begin(0)?;
        }
        let event = format!(r#"{{"time_ns":{},"name":"end","values":{{}}}}"#, self.last_ns);
        self.frame(END, event.as_bytes())?;
        self.writer.flush()?;
        Ok(self.writer)
    }

    /// Writes the header. Gives the wall clock at time 0 of the snapshots.
    fn begin(&mut self, time_ns: u64) -> Result<u64> {
        let now_ns = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, nanos);
        let header = header(time_ns, now_ns);
        let length = u32::try_from(header.len()).map_err(|_| Error::from(ErrorKind::InvalidData))?;
        let mut data = MAGIC.to_vec();
        data.extend([1, 0, 0, 0]); // version
        data.extend(length.to_le_bytes());
        data.extend(crc32(0, header.as_bytes()).to_le_bytes());
        data.extend(header.as_bytes());
        self.writer.write_all(&data)?;
        let base_ns = now_ns.wrapping_sub(time_ns);
        self.wall_ns = Some(base_ns);
        Ok(base_ns)
    }

    /// One call of the writer: who reads the file meanwhile has whole frames.
    fn frame(&mut self, kind: u8, payload: &[u8]) -> Result<()> {
        let length = u32::try_from(payload.len()).map_err(|_| Error::from(ErrorKind::InvalidInput))?;
        let mut data = vec![kind, 0, 0, 0]; // as it is, not packed
        data.extend(length.to_le_bytes());
        let checksum = crc32(crc32(0, &data), payload);
        data.extend(checksum.to_le_bytes());
        data.extend(payload);
        self.writer.write_all(&data)
    }
}

fn nanos(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// A column for each of `REGION_FIELDS`; nothing where there are no regions.
fn columns(regions: &[Region], payload: &mut Vec<u8>) {
    let mut before = 0;
    let gaps = regions.iter().map(|region| {
        let gap = region.0.start.wrapping_sub(before); // another target may begin lower
        before = region.0.end;
        gap
    });
    let gaps: Vec<u64> = gaps.collect();
    let mut put = |number: &dyn Fn(usize) -> u64| column((0..regions.len()).map(number), payload);
    put(&|place| u64::from(regions[place].0.target_idx));
    put(&|place| gaps[place]);
    put(&|place| regions[place].0.end - regions[place].0.start);
    put(&|place| u64::from(regions[place].0.nr_accesses));
    put(&|place| u64::from(regions[place].0.age));
    put(&|place| regions[place].0.age_us);
    put(&|place| regions[place].0.idle_us.wrapping_add(1)); // 0: not known
    put(&|place| u64::from(regions[place].0.flags));
    put(&|place| u64::from(regions[place].0.unknown_reason.unsigned_abs()));
}

/// The width of its numbers, and the numbers; or one of them, where all are the same.
fn column(numbers: impl Iterator<Item = u64> + Clone, payload: &mut Vec<u8>) {
    let (first, most) = match (numbers.clone().next(), numbers.clone().max()) {
        (Some(first), Some(most)) => (first, most),
        _ => return,
    };
    let width = [1u8, 2, 4].into_iter().find(|width| most >> (8 * width) == 0).unwrap_or(8);
    let is_constant = numbers.clone().all(|number| number == first);
    payload.push(width + if is_constant { CONSTANT } else { 0 });
    for number in numbers.take(if is_constant { 1 } else { usize::MAX }) {
        payload.extend(&number.to_le_bytes()[..usize::from(width)]);
    }
}

fn header(monotonic_ns: u64, wall_ns: u64) -> String {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default().trim().to_owned();
    let words = [
        ("record_id", read("/proc/sys/kernel/random/uuid").replace('-', "")),
        ("library", crate::version().to_string()),
        ("host", read("/proc/sys/kernel/hostname")),
        ("boot_id", read("/proc/sys/kernel/random/boot_id")),
        ("program", read("/proc/self/comm")),
    ];
    let mut text = String::from("{");
    for (name, word) in words {
        let _ = write!(text, r#""{name}":"{}","#, escaped(&word));
    }
    let pid = std::process::id();
    let _ = write!(
        text,
        r#""part":0,"pid":{pid},"monotonic_ns":{monotonic_ns},"wall_ns":{wall_ns},"attrs":{{}},"labels":{{}},"#
    );
    let _ = write!(text, r#""window_fields":{WINDOW_FIELDS},"region_fields":{REGION_FIELDS}}}"#);
    text
}

/// As within quotes of JSON.
fn escaped(word: &str) -> String {
    let mut text = String::new();
    for letter in word.chars() {
        match letter {
            '"' | '\\' => text.extend(['\\', letter]),
            '\0'..='\x1f' => drop(write!(text, "\\u{:04x}", u32::from(letter))),
            _ => text.push(letter),
        }
    }
    text
}

const fn crc_table() -> [u32; 256] {
    let (mut table, mut at) = ([0; 256], 0);
    while at < 256 {
        let (mut value, mut bit) = (at as u32, 0);
        while bit < 8 {
            value = if value & 1 == 1 { value >> 1 ^ 0xEDB8_8320 } else { value >> 1 };
            bit += 1;
        }
        table[at] = value;
        at += 1;
    }
    table
}

static CRC_TABLE: [u32; 256] = crc_table();

/// As zlib has it: goes on from the checksum of what stands before.
fn crc32(before: u32, data: &[u8]) -> u32 {
    let step = |crc: u32, &byte: &u8| crc >> 8 ^ CRC_TABLE[usize::from(crc as u8 ^ byte)];
    !data.iter().fold(!before, step)
}
