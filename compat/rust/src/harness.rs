//! What the scenarios share: a client, waiting with a deadline, questions to the side that runs them. One process runs
//! one scenario, so a panic ends it.
use rskafka::BackoffConfig;
use rskafka::client::partition::{Compression, PartitionClient, UnknownTopicHandling};
use rskafka::client::{Client, ClientBuilder, error::Error};
use rskafka::record::{Record, RecordAndOffset};
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

pub struct Test {
    pub bootstrap: String,
    name: String,
    names: AtomicUsize,
}

impl Test {
    pub fn new(bootstrap: String, name: String) -> Self {
        Test {
            bootstrap,
            name,
            names: AtomicUsize::new(0),
        }
    }

    /// A name that no other scenario uses.
    pub fn name(&self, hint: &str) -> String {
        format!("{}-{hint}-{}", self.name, self.names.fetch_add(1, Ordering::Relaxed))
    }

    /// Has the other side do something: restart, kill9, batches TOPIC PARTITION. The answer is JSON.
    pub async fn ask(&self, request: &str) -> String {
        println!("@{request}");
        let read = || std::io::stdin().lines().next().unwrap().unwrap();
        tokio::task::spawn_blocking(read).await.unwrap()
    }

    pub async fn client(&self) -> Client {
        let quick = BackoffConfig {
            init_backoff: Duration::from_millis(20),
            max_backoff: Duration::from_millis(200),
            base: 2.0,
            deadline: Some(Duration::from_secs(20)),
        };
        ClientBuilder::new(vec![self.bootstrap.clone()])
            .backoff_config(quick)
            .build()
            .await
            .unwrap()
    }

    pub async fn topic(&self, hint: &str, partitions: i32) -> String {
        let name = self.name(hint);
        self.client()
            .await
            .controller_client()
            .unwrap()
            .create_topic(&name, partitions, 1, 5000)
            .await
            .unwrap();
        name
    }

    pub async fn partition(&self, topic: &str, partition: i32) -> Arc<PartitionClient> {
        let client = self.client().await;
        Arc::new(
            client
                .partition_client(topic, partition, UnknownTopicHandling::Retry)
                .await
                .unwrap(),
        )
    }
}

/// Asks until the answer is true.
pub async fn eventually<F: Future<Output = bool>>(what: &str, question: impl Fn() -> F) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !question().await {
        assert!(Instant::now() < deadline, "{what}: not within 30 s");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub fn text(value: impl ToString) -> Record {
    Record {
        key: None,
        value: Some(value.to_string().into_bytes()),
        headers: BTreeMap::new(),
        timestamp: chrono::DateTime::from_timestamp_millis(1_700_000_000_000).unwrap(),
    }
}

pub async fn send(partition: &PartitionClient, records: Vec<Record>) -> Vec<i64> {
    partition.produce(records, Compression::NoCompression).await.unwrap()
}

/// Reads so many records from an offset on.
pub async fn read(partition: &PartitionClient, from: i64, count: usize) -> Vec<RecordAndOffset> {
    let mut records: Vec<RecordAndOffset> = vec![];
    let deadline = Instant::now() + Duration::from_secs(20);
    while records.len() < count {
        assert!(
            Instant::now() < deadline,
            "{} records of {count} after 20 s",
            records.len()
        );
        let next = records.last().map_or(from, |last| last.offset + 1);
        records.extend(partition.fetch_records(next, 1..50_000_000, 100).await.unwrap().0);
    }
    records
}

pub fn values(records: &[RecordAndOffset]) -> Vec<String> {
    records
        .iter()
        .map(|r| String::from_utf8(r.record.value.clone().unwrap()).unwrap())
        .collect()
}

/// The name of the server's error that a result is.
pub fn error_of<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    match result {
        Err(Error::ServerError { protocol_error, .. }) => format!("{protocol_error:?}"),
        other => panic!("{other:?} instead of an error of the server"),
    }
}

/// Bytes that no codec makes smaller.
pub fn noise(length: usize) -> Vec<u8> {
    let mut state: u32 = 7;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as u8
    };
    (0..length).map(next).collect()
}
