//! Records, in the format of the `damon` command and the Python package, whose tests read `rust.rec`.

mod support;

use std::ops::Range;

use damon::{RecordWriter, SnapshotBuffer};
use support::{builder, run, started, ToyOps, PAGE};

const OF_PYTHONS_TESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../python/tests/rust.rec");
const WALL_NS: Range<usize> = 8..16; // in a window

fn number(bytes: &[u8]) -> usize {
    bytes.iter().rev().fold(0, |number, &byte| number << 8 | usize::from(byte))
}

/// Kinds and payloads of a record's frames, windows without their wall clock.
fn frames(mut data: &[u8]) -> Vec<(u8, Vec<u8>)> {
    assert!(data.starts_with(b"DAMONREC\x01\0\0\0"));
    let (mut all, header) = (Vec::new(), 20 + number(&data[12..16]));
    assert!(std::str::from_utf8(&data[20..header]).unwrap().contains("\"region_fields\":[\"target_idx\","));
    data = &data[header..];
    while !data.is_empty() {
        let end = 12 + number(&data[4..8]);
        let mut payload = data[12..end].to_vec();
        if data[0] == 1 {
            payload[WALL_NS].fill(0);
        }
        all.push((data[0], payload));
        data = &data[end..];
    }
    all
}

#[test]
fn windows_are_written_as_python_reads_them() {
    let context = started(builder(), &ToyOps::on(support::MEMORY.start..support::MEMORY.start + 32 * PAGE));
    let (mut buffer, mut record) = (SnapshotBuffer::new(), RecordWriter::new(Vec::new()));
    for window in 0..5 {
        run(&context, window * 5 + 1..window * 5 + 6).unwrap();
        let snapshot = context.snapshot(&mut buffer).unwrap();
        record.write(&snapshot).unwrap();
        record.write(&snapshot).unwrap(); // once
    }
    let bytes = record.finish().unwrap();
    if std::env::var_os("DAMON_MAKE_RECORD").is_some() {
        std::fs::write(OF_PYTHONS_TESTS, &bytes).unwrap();
    }
    let found = frames(&bytes);
    assert_eq!(found.iter().map(|frame| frame.0).collect::<Vec<_>>(), [1, 1, 1, 1, 1, 4]);
    if let Ok(known) = std::fs::read(OF_PYTHONS_TESTS) {
        // not in the published package
        assert_eq!(found, frames(&known), "the record that Python's tests read; DAMON_MAKE_RECORD=1 makes it anew");
    }
}

#[test]
fn a_record_without_windows_has_its_header_and_its_end() {
    let context = started(builder(), &ToyOps::on(support::MEMORY));
    let mut record = RecordWriter::new(Vec::new());
    record.write(&context.snapshot(&mut SnapshotBuffer::new()).unwrap()).unwrap();
    let found = frames(&record.finish().unwrap());
    assert_eq!(found, [(4, br#"{"time_ns":0,"name":"end","values":{}}"#.to_vec())]);
}

#[test]
fn a_full_disk_is_told() {
    let context = started(builder(), &ToyOps::on(support::MEMORY));
    let mut buffer = SnapshotBuffer::new();
    run(&context, 1..6).unwrap();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let error = RecordWriter::new(full).write(&context.snapshot(&mut buffer).unwrap()).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(28));
}

#[test]
fn a_snapshot_in_words_says_what_cannot_be_seen() {
    let context = started(builder(), &ToyOps::on(support::MEMORY));
    let mut buffer = SnapshotBuffer::new();
    assert!(context.snapshot(&mut buffer).unwrap().to_string().contains("wait_snapshot()"));
    run(&context, 1..30).unwrap();
    let text = context.snapshot(&mut buffer).unwrap().to_string();
    assert_eq!(text, "1.0 MiB watched: 1.0 MiB accessed, 0.0 MiB idle, 0.0 MiB not visible");
    let mut blind = builder().build().unwrap();
    blind.set_operations(NoAnswers).unwrap();
    blind.start().unwrap();
    run(&blind, 1..30).unwrap();
    let text = blind.snapshot(&mut buffer).unwrap().to_string();
    assert!(text.contains("1.0 MiB not visible") && text.contains("SharedVec"), "{text}");
}

struct NoAnswers;
impl damon::Operations for NoAnswers {}
