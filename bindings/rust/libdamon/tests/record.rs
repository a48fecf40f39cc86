//! Recordings, in the format of the Python package.

mod support;

use std::time::Duration;

use damon::{read_record, RecordWriter, Region, SnapshotBuffer, UnknownReason};
use support::{builder, run, started, Eyes, PAGE};

#[test]
fn what_is_written_is_read_back() {
    let context = started(builder(), &Eyes::on(support::MEMORY.start..support::MEMORY.start + 32 * PAGE));
    let (mut buffer, mut all) = (SnapshotBuffer::new(), Vec::new());
    let mut record = RecordWriter::new(Vec::new()).unwrap();
    for window in 0..5 {
        run(&context, window * 5 + 1..window * 5 + 6).unwrap();
        let snapshot = context.snapshot(&mut buffer).unwrap();
        record.write(&snapshot).unwrap();
        record.write(&snapshot).unwrap(); // once
        all.extend((snapshot.info().seq > 0).then(|| (*snapshot.info(), snapshot.regions().to_vec())));
    }
    let bytes = record.into_inner().unwrap();
    let read = read_record(&bytes[..]).unwrap();
    assert!(read.len() >= 4);
    for (recorded, (info, regions)) in read.iter().zip(&all) {
        assert_eq!(recorded.snapshot().regions(), regions);
        let mut known = *info;
        known.passed_sample_intervals = 0;
        assert_eq!(*recorded.snapshot().info(), known);
    }
}

#[test]
fn recordings_of_python_are_read_also_cut_and_old_ones() {
    let text = r#"{"damon_record": 1, "library": "0.1.0"}
{"seq": 1, "time_ns": 5, "sample_us": 5000, "aggr_us": 100000, "max_nr_accesses": 20, "nr_targets": 1, "flags": 2, "window_us": 100001, "regions": [[4096, 8192, 0, 3, 7, 0, 700000, 20, 0], [8192, 12288, 0, 0, 1, 1, 0, null, 1]]}
{"seq": 2, "time_ns": 6, "sample_us": 5000, "aggr_us": 100000, "max_nr_accesses": 20, "nr_targets": 1, "flags": 0, "regions": [[4096, 8192, 0, 3, 7, 0]]}
{"seq": 3, "time_ns": 6, "sample"#;
    let read = read_record(text.as_bytes()).unwrap();
    assert_eq!(read.len(), 2);
    let first = read[0].snapshot();
    assert!(first.info().unknown && first.info().window == Duration::from_micros(100_001));
    assert_eq!(first[0].idle_time(), Some(Duration::from_micros(20)));
    assert_eq!((first[1].unknown_reason(), first[1].idle_time()), (Some(UnknownReason::HugePage), None));
    assert_eq!(first.unknown_bytes(), 4096);
    assert_eq!(read[1].snapshot().iter().map(Region::size).sum::<usize>(), 4096);
}

#[test]
fn what_is_no_recording_is_refused_with_its_line() {
    let head = "{\"damon_record\": 1}\n";
    for (text, line) in [
        ("\n".to_owned(), "line 1 "),
        ("{\"damon_record\": 2}\n".to_owned(), "line 1 "),
        (format!("{head}[]\n"), "line 2 "),
        (format!("{head}{{\"seq\": -1}}\n"), "line 2 "),
        (format!("{head}{}\n", "[".repeat(100_000)), "line 2 "),
        (format!("{head}{{\"seq\": 99999999999999999999999}}\n"), "line 2 "),
    ] {
        let error = read_record(text.as_bytes()).unwrap_err();
        assert!(error.kind() == std::io::ErrorKind::InvalidData && error.to_string().contains(line), "{error}");
    }
    assert!(read_record(&b""[..]).unwrap().is_empty());
}

#[test]
fn a_snapshot_in_words_says_what_cannot_be_seen() {
    let context = started(builder(), &Eyes::on(support::MEMORY));
    let mut buffer = SnapshotBuffer::new();
    assert!(context.snapshot(&mut buffer).unwrap().to_string().contains("wait_snapshot()"));
    run(&context, 1..30).unwrap();
    let text = context.snapshot(&mut buffer).unwrap().to_string();
    assert_eq!(text, "1.0 MiB watched: 1.0 MiB accessed, 0.0 MiB idle, 0.0 MiB not visible");
    let mut blind = builder().build().unwrap();
    blind.set_operations(NoEyes).unwrap();
    blind.start().unwrap();
    run(&blind, 1..30).unwrap();
    let text = blind.snapshot(&mut buffer).unwrap().to_string();
    assert!(text.contains("1.0 MiB not visible") && text.contains("SharedVec"), "{text}");
}

struct NoEyes;
impl damon::Operations for NoEyes {}
