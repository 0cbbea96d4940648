"""Producing and reading back: codecs, acks, kinds of records, offsets of every kind, long polls, errors."""

import time

from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_END,
    TIMESTAMP_CREATE_TIME,
    TIMESTAMP_LOG_APPEND_TIME,
    TopicPartition,
)

from harness import ask, equal, error_of, eventually, noise, read, scenario, send, take, values

NOW = int(time.time() * 1000)


def records():
    kinds = [
        (b"key", b"value", []),
        (None, b"no key", []),
        (b"tombstone", None, []),
        (None, None, [("only", b"headers")]),
        (b"", b"", [("empty", b""), ("null", None), ("twice", b"1"), ("twice", b"2")]),
        ("schlüssel-鍵-🔑".encode(), "wert-値-🎈".encode(), [("kopf-頭", "größe-👑".encode())]),
        (b"binary", noise(1000), []),
        (b"long", b"no fixed abode. " * 1500, []),
        (b"megabyte", noise(1_000_000), [("size", b"1e6")]),
    ]
    return [
        {"key": key, "value": value, "headers": headers, "timestamp": NOW + i}
        for i, (key, value, headers) in enumerate(kinds)
    ]


def roundtrip(codec, acks):
    def run(context):
        topic = context.topic(codec)
        producer = context.producer(**{"compression_type": codec, "acks": acks, "message_max_bytes": 1_048_000})
        sent = records()
        reports = send(producer, topic, sent)
        if acks != 0:
            equal([report.offset() for report in reports], list(range(len(sent))))
        seen = read(context, topic, len(sent), check_crcs=True)
        equal(
            [(m.key(), m.value(), m.headers() or [], m.timestamp()) for m in seen],
            [(r["key"], r["value"], r["headers"], (TIMESTAMP_CREATE_TIME, r["timestamp"])) for r in sent],
        )
        repeated = context.topic("repeated")
        send(producer, repeated, [{"value": b"no fixed abode. " * 20} for _ in range(200)])
        read(context, repeated, 200)
        batches = ask(f"batches {repeated} 0")
        if batches is not None:
            equal({batch["codec"] for batch in batches if batch["count"] > 3}, {codec})

    return run


for _codec in ["none", "gzip", "snappy", "lz4", "zstd"]:
    for _acks in [0, 1, -1]:
        _run = roundtrip(_codec, _acks)
        _run.__module__, _run.__name__ = __name__, f"roundtrip_{_codec}_{_acks + 1}"
        globals()[_run.__name__] = scenario(f"{_codec}, acks={_acks}: keys, headers, nulls, a megabyte")(_run)


@scenario("an idempotent producer with many batches in flight")
def idempotent(context):
    topic = context.topic("idempotent", 3)
    producer = context.producer(enable_idempotence=True, batch_num_messages=20)
    send(producer, topic, [{"value": str(i), "partition": i % 3} for i in range(3000)])
    for partition in range(3):
        equal(values(read(context, topic, 1000, partition)), list(range(partition, 3000, 3)))
        batches = ask(f"batches {topic} {partition}")
        assert batches is None or all(batch["producerId"] >= 0 for batch in batches)


@scenario("a hundred partitions, several topics in one fetch")
def wide(context):
    names = [context.topic("wide", 100), context.topic("narrow")]
    producer = context.producer()
    for name in names:
        send(producer, name, [{"key": f"k{i}", "value": str(i)} for i in range(1000)])
    consumer = context.consumer()
    consumer.subscribe(names)
    seen = take(consumer, 2000)
    consumer.close()
    equal(len({(m.topic(), m.value()) for m in seen}), 2000)
    assert len({m.partition() for m in seen if m.topic() == names[0]}) > 90


@scenario("assign and seek: the middle of a batch, the beginning, the end")
def seeks(context):
    for codec in ["none", "gzip"]:
        topic = context.topic("seek")
        send(context.producer(compression_type=codec, linger_ms=100), topic, [{"value": str(i)} for i in range(100)])
        batches = ask(f"batches {topic} 0")
        assert batches is None or len(batches) < 20
        consumer = context.consumer()
        consumer.assign([TopicPartition(topic, 0, 57)])
        equal(values(take(consumer, 43)), list(range(57, 100)))
        for target in [3, 99, 50]:
            consumer.seek(TopicPartition(topic, 0, target))
            equal(values(take(consumer, 100 - target)), list(range(target, 100)))
        consumer.seek(TopicPartition(topic, 0, OFFSET_BEGINNING))
        equal(values(take(consumer, 100)), list(range(100)))
        consumer.seek(TopicPartition(topic, 0, OFFSET_END))
        eventually("the end is known", lambda: consumer.poll(0.2) is None)
        send(context.producer(), topic, [{"value": "100"}])
        equal(values(take(consumer, 1)), [100])
        consumer.close()


@scenario("offsets by time and watermarks, also inside a compressed batch")
def times(context):
    topic = context.topic("times")
    producer = context.producer(compression_type="zstd")
    send(producer, topic, [{"value": str(i), "timestamp": NOW + i * 1000} for i in range(20)])
    consumer = context.consumer()

    def at(timestamp):
        [found] = consumer.offsets_for_times([TopicPartition(topic, 0, timestamp)], timeout=10)
        return found.offset

    equal([at(NOW - 1), at(NOW + 3000), at(NOW + 3001), at(NOW + 19000)], [0, 3, 4, 19])
    equal(at(NOW + 19001), OFFSET_END)
    equal(consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=10), (0, 20))
    consumer.close()


@scenario("LogAppendTime: records carry the time of the broker, and say so")
def append_time(context):
    topic = context.topic("append-time", message_timestamp_type="LogAppendTime")
    send(context.producer(compression_type="lz4"), topic, [{"value": str(i), "timestamp": 1000} for i in range(10)])
    for message in read(context, topic, 10, check_crcs=True):
        kind, timestamp = message.timestamp()
        equal(kind, TIMESTAMP_LOG_APPEND_TIME)
        assert timestamp > NOW - 60_000


@scenario("a long poll ends when a record comes")
def long_poll(context):
    topic = context.topic("poll")
    producer = context.producer(linger_ms=0)
    consumer = context.consumer(fetch_wait_max_ms=5000)
    consumer.assign([TopicPartition(topic, 0, 0)])
    assert consumer.poll(0.5) is None
    for value in range(3):
        started = time.monotonic()
        send(producer, topic, [{"value": str(value)}])
        equal(values(take(consumer, 1)), [value])
        assert time.monotonic() - started < 2
    consumer.close()


@scenario("auto-creation by a producer; an unknown topic without it")
def auto_creation(context):
    topic = context.name("made")
    send(context.producer(), topic, [{"value": "1"}])
    equal(values(read(context, topic, 1)), [1])
    unknown = context.name("unknown")
    consumer = context.consumer(allow_auto_create_topics=False)
    consumer.subscribe([unknown])
    found = eventually("an error", lambda: consumer.poll(0.2))
    equal(found.error().name(), "UNKNOWN_TOPIC_OR_PART")
    consumer.close()
    assert unknown not in context.admin().list_topics(timeout=10).topics


@scenario("errors: too large a record, illegal name")
def errors(context):
    large = context.producer(message_max_bytes=3_000_000)
    topic = context.topic("small")
    equal(error_of(lambda: send(large, topic, [{"value": noise(1_500_000)}])), "MSG_SIZE_TOO_LARGE")
    tiny = context.topic("tiny", max_message_bytes="2000")
    equal(error_of(lambda: send(large, tiny, [{"value": noise(3000)}])), "MSG_SIZE_TOO_LARGE")
    equal(error_of(lambda: send(context.producer(), "not legal!", [{"value": "x"}])), "TOPIC_EXCEPTION")


@scenario("min.insync.replicas asks for no more than the topic has, as in Kafka 4")
def few_replicas(context):
    topic = context.topic("strict", min_insync_replicas="2")
    for acks in [-1, 1]:
        send(context.producer(acks=acks), topic, [{"value": "1"}])
    equal(values(read(context, topic, 2)), [1, 1])


@scenario("transactions: committed records are seen, aborted ones are not")
def transactional(context):
    producer = context.producer(transactional_id=context.name("tx"))
    producer.init_transactions(10)
    topic = context.topic("tx")
    for value, end in [("0", producer.abort_transaction), ("1", producer.commit_transaction)]:
        producer.begin_transaction()
        producer.produce(topic, value)
        producer.flush(10)
        end(10)
    equal(values(read(context, topic, 1)), [1])
