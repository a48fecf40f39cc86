use std::io::{BufRead, Error, ErrorKind, Result, Write};
use std::time::Duration;

use damon_sys as sys;

use crate::structs::micros;
use crate::{Region, Snapshot, SnapshotInfo};

/// Writes snapshots down, in the format of the Python package: text, one JSON value a line.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let table = damon::SharedVec::from_elem(0u8, 1 << 20)?;
/// let watch = damon::Context::builder().range(table.range()).start()?;
/// let (mut file, mut buffer) = (Vec::new(), damon::SnapshotBuffer::new()); // or a std::fs::File
/// let mut record = damon::RecordWriter::new(&mut file)?;
/// watch.wait_snapshot(0, None)?;
/// record.write(&watch.snapshot(&mut buffer)?)?;
/// let recorded = damon::read_record(&file[..])?;
/// assert_eq!(recorded[0].snapshot().len(), watch.snapshot(&mut buffer)?.len());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct RecordWriter<W: Write> {
    writer: W,
    seq: u64,
}

/// A snapshot of a recording.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RecordedSnapshot {
    info: SnapshotInfo,
    regions: Vec<Region>,
}

impl RecordedSnapshot {
    /// As it was read from the context. What recordings do not have is 0.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot<'_> {
        Snapshot::new(&self.regions, self.info)
    }
}

impl<W: Write> RecordWriter<W> {
    /// Writes the first line.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn new(mut writer: W) -> Result<Self> {
        writeln!(writer, "{{\"damon_record\": 1, \"library\": \"{}\"}}", crate::version())?;
        Ok(RecordWriter { writer, seq: 0 })
    }

    /// Writes a snapshot, unless it is the one that was written last.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write(&mut self, snapshot: &Snapshot<'_>) -> Result<()> {
        let info = snapshot.info();
        if info.seq == self.seq {
            return Ok(());
        }
        self.seq = info.seq;
        let writes_only = if info.writes_only { sys::DAMON_SNAPSHOT_WRITES_ONLY } else { 0 };
        let flags = writes_only | if info.unknown { sys::DAMON_SNAPSHOT_UNKNOWN } else { 0 };
        write!(
            self.writer,
            "{{\"seq\": {}, \"time_ns\": {}, \"sample_us\": {}, \"aggr_us\": {}, \"max_nr_accesses\": {}, \
             \"nr_targets\": {}, \"flags\": {flags}, \"window_us\": {}, \"regions\": [",
            info.seq,
            info.time.as_nanos(),
            micros(info.sample),
            micros(info.aggregation),
            info.max_nr_accesses,
            info.nr_targets,
            micros(info.window)
        )?;
        for (position, region) in snapshot.iter().enumerate() {
            let (comma, raw) = (if position > 0 { ", " } else { "" }, &region.0);
            let idle = if raw.idle_us == u64::MAX { "null".to_owned() } else { raw.idle_us.to_string() };
            write!(
                self.writer,
                "{comma}[{}, {}, {}, {}, {}, {}, {}, {idle}, {}]",
                raw.start, raw.end, raw.target_idx, raw.nr_accesses, raw.age, raw.flags, raw.age_us, raw.unknown_reason
            )?;
        }
        writeln!(self.writer, "]}}")
    }

    /// Flushes it and gives the writer back.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn into_inner(mut self) -> Result<W> {
        self.writer.flush()?;
        Ok(self.writer)
    }
}

/// Reads a recording, of this crate or of the Python package.
///
/// # Errors
/// Those of the reader; `InvalidData` with the number of the line that is none of a recording. A last line without its
/// end, as a killed program leaves, is passed over.
pub fn read_record(mut reader: impl BufRead) -> Result<Vec<RecordedSnapshot>> {
    let (mut snapshots, mut line, mut number) = (Vec::new(), String::new(), 0);
    while reader.read_line(&mut line)? > 0 {
        number += 1;
        if !line.ends_with('\n') {
            break;
        }
        let value = Parser(line.trim().as_bytes()).whole();
        let known = value.and_then(|value| match number {
            1 => (value.member("damon_record")?.number()? == 1).then_some(()),
            _ => recorded(&value).map(|snapshot| snapshots.push(snapshot)),
        });
        if known.is_none() {
            let words = if number == 1 { "is not the first line of a recording" } else { "is not a snapshot" };
            return Err(Error::new(ErrorKind::InvalidData, format!("line {number} {words}")));
        }
        line.clear();
    }
    Ok(snapshots)
}

fn recorded(value: &Value) -> Option<RecordedSnapshot> {
    let number = |name| value.member(name).and_then(Value::number);
    let flags = number("flags")?;
    let info = SnapshotInfo {
        seq: number("seq")?,
        time: Duration::from_nanos(number("time_ns")?),
        sample: Duration::from_micros(number("sample_us")?),
        aggregation: Duration::from_micros(number("aggr_us")?),
        window: Duration::from_micros(number("window_us").unwrap_or(0)),
        passed_sample_intervals: 0,
        max_nr_accesses: u32::try_from(number("max_nr_accesses")?).ok()?,
        nr_targets: usize::try_from(number("nr_targets")?).ok()?,
        writes_only: flags & u64::from(sys::DAMON_SNAPSHOT_WRITES_ONLY) != 0,
        unknown: flags & u64::from(sys::DAMON_SNAPSHOT_UNKNOWN) != 0,
    };
    let regions = value.member("regions")?.list()?.iter().map(recorded_region).collect::<Option<_>>()?;
    Some(RecordedSnapshot { info, regions })
}

/// Start, end, target, accesses, age, flags; and, in newer recordings, times and the reason.
fn recorded_region(value: &Value) -> Option<Region> {
    let row = value.list()?;
    let number = |position: usize| row.get(position).and_then(Value::number);
    let small = |position| number(position).and_then(|number| u32::try_from(number).ok());
    let mut region = Region::new(number(0)? as usize..number(1)? as usize, small(3)?);
    region.0.target_idx = small(2)?;
    region.0.age = small(4)?;
    region.0.flags = small(5)?;
    region.0.age_us = number(6).unwrap_or(0);
    region.0.idle_us = number(7).unwrap_or(u64::MAX);
    region.0.unknown_reason = number(8).and_then(|reason| i32::try_from(reason).ok()).unwrap_or(0);
    Some(region)
}

/// What of JSON recordings use.
enum Value {
    Null,
    Number(u64),
    Text,
    List(Vec<Value>),
    Object(Vec<(String, Value)>),
}

impl Value {
    fn member(&self, wanted: &str) -> Option<&Value> {
        match self {
            Value::Object(members) => members.iter().find(|(name, _)| name == wanted).map(|(_, value)| value),
            _ => None,
        }
    }

    fn number(&self) -> Option<u64> {
        match self {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    fn list(&self) -> Option<&[Value]> {
        match self {
            Value::List(values) => Some(values),
            _ => None,
        }
    }
}

/// The rest of a line.
struct Parser<'a>(&'a [u8]);

impl Parser<'_> {
    fn whole(mut self) -> Option<Value> {
        let value = self.value(0)?;
        self.0.is_empty().then_some(value)
    }

    /// The next byte that is no space, without taking it.
    fn peek(&mut self) -> Option<u8> {
        while let [b' ', rest @ ..] = self.0 {
            self.0 = rest;
        }
        self.0.first().copied()
    }

    fn take(&mut self, wanted: u8) -> Option<()> {
        let found = self.peek()? == wanted;
        self.0 = if found { &self.0[1..] } else { self.0 };
        found.then_some(())
    }

    fn value(&mut self, depth: u32) -> Option<Value> {
        match self.peek()? {
            _ if depth > 4 => None,
            b'{' => self.several(b'{', b'}', |parser| {
                let name = parser.text()?;
                parser.take(b':')?;
                Some((name, parser.value(depth + 1)?))
            }),
            b'[' => return self.several(b'[', b']', |parser| parser.value(depth + 1)).map(Value::List),
            b'"' => return self.text().map(|_| Value::Text),
            b'n' => {
                self.0 = self.0.strip_prefix(b"null")?;
                return Some(Value::Null);
            }
            _ => return self.digits().map(Value::Number),
        }
        .map(Value::Object)
    }

    /// Elements between brackets, with commas in between.
    fn several<T>(&mut self, open: u8, close: u8, element: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        self.take(open)?;
        let mut all = Vec::new();
        while self.take(close).is_none() {
            if !all.is_empty() {
                self.take(b',')?;
            }
            all.push(element(self)?);
        }
        Some(all)
    }

    fn text(&mut self) -> Option<String> {
        self.take(b'"')?;
        let end = self.0.iter().position(|&byte| byte == b'"')?;
        let text = std::str::from_utf8(&self.0[..end]).ok()?.to_owned();
        self.0 = &self.0[end + 1..];
        Some(text)
    }

    fn digits(&mut self) -> Option<u64> {
        let end = self.0.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(self.0.len());
        let number = std::str::from_utf8(&self.0[..end]).ok()?.parse().ok()?;
        self.0 = &self.0[end..];
        Some(number)
    }
}
