//! Records and codecs, offsets, topics, a producer that batches, a stream, and the broker gone and back.
use crate::harness::*;
use chrono::DateTime;
use futures::StreamExt;
use rskafka::client::consumer::{StartOffset, StreamConsumerBuilder};
use rskafka::client::error::Error;
use rskafka::client::partition::{Compression, OffsetAt, UnknownTopicHandling};
use rskafka::client::producer::{BatchProducerBuilder, aggregator::RecordAggregator};
use rskafka::record::Record;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Names, and the keys of a broker of its own as JSON; null where it shares one.
pub const ALL: [(&str, &str); 12] = [
    ("records of all kinds with all codecs", "null"),
    ("a record of a megabyte, and beyond", "null"),
    ("offsets: earliest, latest, by time, out of range", "null"),
    ("topics are made, listed, deleted and made again", "null"),
    ("a topic that is not there", r#"{"auto.create.topics.enable":"false"}"#),
    ("records are deleted", "null"),
    ("a batching producer", "null"),
    ("a stream", "null"),
    ("four writers of one partition", "null"),
    ("a topic made by looking for it", "null"),
    ("orderly restarts under load", "{}"),
    ("kill -9 under load", "{}"),
];

pub async fn run(name: &str, t: &Test) {
    match ALL.iter().position(|(known, _)| *known == name) {
        Some(0) => all_kinds(t).await,
        Some(1) => megabytes(t).await,
        Some(2) => offsets(t).await,
        Some(3) => topics(t).await,
        Some(4) => unknown(t).await,
        Some(5) => delete_records(t).await,
        Some(6) => batching(t).await,
        Some(7) => stream(t).await,
        Some(8) => writers(t).await,
        Some(9) => made(t).await,
        Some(10) => through_restarts(t, "restart").await,
        Some(11) => through_restarts(t, "kill9").await,
        _ => panic!("no scenario {name}"),
    }
}

fn samples() -> Vec<Record> {
    let bytes = |text: &str| Some(text.as_bytes().to_vec());
    let headers = |pairs: &[(&str, &str)]| -> BTreeMap<String, Vec<u8>> {
        pairs
            .iter()
            .map(|(key, value)| (key.to_string(), value.as_bytes().to_vec()))
            .collect()
    };
    let plain = [
        (bytes("key"), bytes("value"), headers(&[])),
        (None, bytes("no key"), headers(&[])),
        (bytes("tombstone"), None, headers(&[])),
        (None, None, headers(&[("only", "headers"), ("empty", "")])),
        (bytes(""), bytes(""), headers(&[])),
        (bytes("schlüssel-鍵"), bytes("wert-🎈"), headers(&[("kopf-頭", "👑")])),
        (Some(noise(100)), Some(noise(20_000)), headers(&[])),
        (None, Some(vec![0; 100_000]), headers(&[])),
    ];
    let since = 1_700_000_000_000;
    let record = |(i, (key, value, headers))| Record {
        key,
        value,
        headers,
        timestamp: DateTime::from_timestamp_millis(since + i as i64).unwrap(),
    };
    plain.into_iter().enumerate().map(record).collect()
}

async fn all_kinds(t: &Test) {
    let codecs = [
        ("none", Compression::NoCompression),
        ("gzip", Compression::Gzip),
        ("snappy", Compression::Snappy),
        ("lz4", Compression::Lz4),
        ("zstd", Compression::Zstd),
    ];
    for (name, codec) in codecs {
        let topic = t.topic(name, 1).await;
        let partition = t.partition(&topic, 0).await;
        assert_eq!(
            partition.produce(samples(), codec).await.unwrap(),
            (0..8).collect::<Vec<i64>>()
        );
        let found = read(&partition, 0, 8).await;
        assert_eq!(
            found.iter().map(|r| r.offset).collect::<Vec<_>>(),
            (0..8).collect::<Vec<_>>()
        );
        assert_eq!(found.into_iter().map(|r| r.record).collect::<Vec<_>>(), samples());
        let batches = t.ask(&format!("batches {topic} 0")).await;
        assert!(batches.contains(&format!(r#""codec":"{name}""#)), "{batches}");
    }
}

async fn megabytes(t: &Test) {
    let partition = t.partition(&t.topic("megabytes", 1).await, 0).await;
    let of = |length| Record {
        value: Some(noise(length)),
        ..text("")
    };
    send(&partition, vec![of(1_000_000)]).await;
    assert_eq!(read(&partition, 0, 1).await[0].record, of(1_000_000));
    let beyond = partition.produce(vec![of(1_100_000)], Compression::NoCompression).await;
    assert_eq!(error_of(beyond), "MessageTooLarge");
}

async fn offsets(t: &Test) {
    let partition = t.partition(&t.topic("offsets", 1).await, 0).await;
    let time = |i: i64| DateTime::from_timestamp_millis(1_700_000_000_000 + i * 1000).unwrap();
    let records = (0..20)
        .map(|i| Record {
            timestamp: time(i),
            ..text(i)
        })
        .collect();
    partition.produce(records, Compression::Lz4).await.unwrap();
    let mut found = vec![];
    let asked = [
        OffsetAt::Earliest,
        OffsetAt::Latest,
        OffsetAt::Timestamp(time(4)),
        OffsetAt::Timestamp(time(99)),
    ];
    for at in asked {
        found.push(partition.get_offset(at).await.unwrap());
    }
    assert_eq!(found, [0, 20, 4, -1]);
    assert_eq!(values(&read(&partition, 15, 5).await), ["15", "16", "17", "18", "19"]);
    assert_eq!(partition.fetch_records(20, 1..1000, 10).await.unwrap(), (vec![], 20));
    assert_eq!(
        error_of(partition.fetch_records(21, 1..1000, 10).await),
        "OffsetOutOfRange"
    );
}

async fn topics(t: &Test) {
    let client = t.client().await;
    let controller = client.controller_client().unwrap();
    let name = t.name("made");
    let partitions = async || {
        let topics = client.list_topics().await.unwrap();
        topics
            .into_iter()
            .find(|topic| topic.name == name)
            .map_or(0, |topic| topic.partitions.len())
    };
    for count in [3, 2] {
        controller.create_topic(&name, count, 1, 5000).await.unwrap();
        assert_eq!(
            error_of(controller.create_topic(&name, count, 1, 5000).await),
            "TopicAlreadyExists"
        );
        eventually("its partitions are listed", async || {
            partitions().await == count as usize
        })
        .await;
        let last = t.partition(&name, count - 1).await;
        assert_eq!(send(&last, vec![text("first")]).await, [0]);
        controller.delete_topic(&name, 5000).await.unwrap();
        eventually("it is listed no more", async || partitions().await == 0).await;
    }
    assert_eq!(
        error_of(controller.delete_topic(&name, 5000).await),
        "UnknownTopicOrPartition"
    );
    assert_eq!(
        error_of(controller.create_topic("not/a name", 1, 1, 5000).await),
        "InvalidTopicException"
    );
    assert_eq!(
        error_of(controller.create_topic(t.name("replicas"), 1, 2, 5000).await),
        "InvalidReplicationFactor"
    );
}

async fn unknown(t: &Test) {
    let client = t.client().await;
    let missing = client
        .partition_client(t.name("missing"), 0, UnknownTopicHandling::Error)
        .await;
    assert_eq!(error_of(missing.map(|_| ())), "UnknownTopicOrPartition");
    let beyond = client
        .partition_client(t.topic("one", 1).await, 1, UnknownTopicHandling::Error)
        .await;
    assert!(matches!(beyond.err(), Some(Error::InvalidResponse(_))));
}

/// The client asks for metadata in the version that makes topics, so looking for one makes it.
async fn made(t: &Test) {
    let topic = t.name("auto");
    assert_eq!(send(&*t.partition(&topic, 0).await, vec![text("made")]).await, [0]);
}

async fn delete_records(t: &Test) {
    let partition = t.partition(&t.topic("shortened", 1).await, 0).await;
    send(&partition, (0..10).map(text).collect()).await;
    partition.delete_records(4, 5000).await.unwrap();
    assert_eq!(partition.get_offset(OffsetAt::Earliest).await.unwrap(), 4);
    assert_eq!(values(&read(&partition, 4, 6).await), ["4", "5", "6", "7", "8", "9"]);
    assert_eq!(
        error_of(partition.fetch_records(3, 1..1000, 10).await),
        "OffsetOutOfRange"
    );
    assert_eq!(error_of(partition.delete_records(11, 5000).await), "OffsetOutOfRange");
}

async fn batching(t: &Test) {
    let partition = t.partition(&t.topic("batching", 1).await, 0).await;
    let producer = BatchProducerBuilder::new(Arc::clone(&partition))
        .with_linger(Duration::from_millis(20))
        .with_compression(Compression::Zstd)
        .build(RecordAggregator::new(10_000));
    let offsets = futures::future::join_all((0..1000).map(|i| producer.produce(text(i)))).await;
    let offsets: Vec<i64> = offsets.into_iter().map(Result::unwrap).collect();
    let found = read(&partition, 0, 1000).await;
    for (value, offset) in offsets.iter().enumerate() {
        assert_eq!(values(&found[*offset as usize..][..1]), [value.to_string()]);
    }
}

async fn stream(t: &Test) {
    let partition = t.partition(&t.topic("stream", 1).await, 0).await;
    send(&partition, (0..50).map(text).collect()).await;
    let mut records = StreamConsumerBuilder::new(Arc::clone(&partition), StartOffset::Earliest)
        .with_max_wait_ms(100)
        .build();
    for expected in 0..100 {
        if expected == 50 {
            send(&partition, (50..100).map(text).collect()).await;
        }
        let (found, _) = records.next().await.unwrap().unwrap();
        assert_eq!((found.offset, values(&[found])), (expected, vec![expected.to_string()]));
    }
    let mut latest = StreamConsumerBuilder::new(Arc::clone(&partition), StartOffset::Latest)
        .with_max_wait_ms(100)
        .build();
    let later = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        send(&partition, vec![text("later")]).await
    };
    let (next, _) = tokio::join!(latest.next(), later);
    assert_eq!(values(&[next.unwrap().unwrap().0]), ["later"]);
}

async fn writers(t: &Test) {
    let topic = t.topic("writers", 1).await;
    let write = async |writer: usize| {
        let partition = t.partition(&topic, 0).await;
        for i in 0..100 {
            send(&partition, vec![text(format!("{writer} {i}"))]).await;
        }
    };
    futures::future::join_all((0..4).map(write)).await;
    let partition = t.partition(&topic, 0).await;
    let found = values(&read(&partition, 0, 400).await);
    for writer in 0..4 {
        let prefix = format!("{writer} ");
        let own: Vec<&str> = found.iter().filter_map(|value| value.strip_prefix(&prefix)).collect();
        assert_eq!(own, (0..100).map(|i| i.to_string()).collect::<Vec<_>>());
    }
}

/// The client is not idempotent: what it was not told of may be there twice.
async fn through_restarts(t: &Test, interrupt: &str) {
    let partition = t.partition(&t.topic("running", 1).await, 0).await;
    let acknowledged = std::cell::Cell::new(0);
    let stop = AtomicBool::new(false);
    let produce = async {
        while !stop.load(Ordering::Relaxed) {
            let offset = send(&partition, vec![text(acknowledged.get())]).await[0];
            assert!(
                offset >= acknowledged.get(),
                "offset {offset} of record {}",
                acknowledged.get()
            );
            acknowledged.set(acknowledged.get() + 1);
        }
    };
    let interrupted = async {
        for _ in 0..3 {
            let before = acknowledged.get();
            eventually("records flow", async || acknowledged.get() >= before + 100).await;
            t.ask(interrupt).await;
        }
        let before = acknowledged.get();
        eventually("records flow at the end", async || acknowledged.get() >= before + 100).await;
        stop.store(true, Ordering::Relaxed);
    };
    tokio::join!(produce, interrupted);
    let mut found = values(&read(&partition, 0, acknowledged.get() as usize).await);
    found.dedup();
    let expected: Vec<String> = (0..acknowledged.get()).map(|i| i.to_string()).collect();
    assert_eq!(found[..expected.len().min(found.len())], expected);
}
