# Reads `in`, writes each record to `out` and the group's offsets in one transaction; aborts one in four. Arguments:
# bootstrap, transactional id, group, in, out. Runs until it is killed; ends with 3 when it is fenced.
import random
import sys

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

bootstrap, transactional_id, group, source, target = sys.argv[1:6]
consumer = Consumer({
    "bootstrap.servers": bootstrap,
    "group.id": group,
    "isolation.level": "read_committed",
    "enable.auto.commit": False,
    "auto.offset.reset": "earliest",
    "session.timeout.ms": 6000,
    "heartbeat.interval.ms": 1000,
    "reconnect.backoff.max.ms": 200,
})
producer = Producer({
    "bootstrap.servers": bootstrap,
    "transactional.id": transactional_id,
    "transaction.timeout.ms": 20000,
    # FINDINGS.md: what it keeps of the group's coordinator outlives the brokers it forgets otherwise
    "metadata.recovery.strategy": "none",
    "reconnect.backoff.max.ms": 200,
})


def insist(call, *arguments):
    """Errors that pass, time-outs among them, mean that the same is to be called again."""
    while True:
        try:
            return call(*arguments, 5)
        except KafkaException as error:
            if not error.args[0].retriable():
                raise


def rewind(partitions):
    for committed in consumer.committed(partitions, timeout=30):
        offset = committed.offset if committed.offset >= 0 else 0
        try:
            consumer.seek(TopicPartition(committed.topic, committed.partition, offset))
        except KafkaException as error:
            print("not ours any more", error, flush=True)


def step():
    messages = [message for message in consumer.consume(40, 0.2) if message.error() is None]
    if not messages:
        return
    abort = random.randrange(4) == 0
    producer.begin_transaction()
    partitions = [TopicPartition(source, partition) for partition in {message.partition() for message in messages}]
    try:
        for message in messages:
            producer.produce(target, message.value() + (b" aborted" if abort else b""), message.key())
        positions = [position for position in consumer.position(partitions) if position.offset >= 0]
        insist(producer.send_offsets_to_transaction, positions, consumer.consumer_group_metadata())
        if not abort:
            insist(producer.commit_transaction)
            print("commit", len(messages), flush=True)
            return
    except KafkaException as error:
        print("retry", error, flush=True)
        if error.args[0].fatal() or not error.args[0].txn_requires_abort():
            raise
    insist(producer.abort_transaction)
    print("abort", len(messages), flush=True)
    rewind(partitions)


try:
    insist(producer.init_transactions)
    consumer.subscribe([source])
    while True:
        step()
except KafkaException as error:
    print("end", error, flush=True)
    sys.exit(3)
