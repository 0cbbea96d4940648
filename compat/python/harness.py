"""What the scenarios share: a registry of them, clients, waiting with a deadline, questions to the side that runs them."""

import json
import sys
import time

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

SCENARIOS = []


def scenario(name, own=None, ours=False, timeout=30):
    """Registers a function(context). `own`: keys of a broker of its own, which it may kill."""

    def register(function):
        SCENARIOS.append(
            {
                "module": function.__module__,
                "function": function.__name__,
                "name": name,
                "own": own,
                "ours": ours,
                "timeout": timeout,
            }
        )
        return function

    return register


def ask(request):
    """Has the other side do something: restart, kill9, batches TOPIC PARTITION."""
    print("@" + request, flush=True)
    return json.loads(sys.stdin.readline())


def eventually(what, question, seconds=15):
    """Asks until the answer is true. The questions wait themselves, by polling a client."""
    deadline = time.monotonic() + seconds
    while True:
        answer = question()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"


def equal(found, expected):
    assert found == expected, f"found    {found!r}\nexpected {expected!r}"


class Context:
    def __init__(self, bootstrap, name):
        self.bootstrap = bootstrap
        self._name = name
        self._names = 0
        self.port = int(bootstrap.rsplit(":", 1)[1])

    def name(self, hint):
        self._names += 1
        return f"{self._name}-{hint}-{self._names}"

    def config(self, more):
        quick = {"reconnect.backoff.ms": 50, "reconnect.backoff.max.ms": 200}
        return {"bootstrap.servers": self.bootstrap, **quick, **more}

    def admin(self):
        return AdminClient(self.config({}))

    def producer(self, **more):
        keys = {key.replace("_", "."): value for key, value in more.items()}
        return Producer(self.config({"linger.ms": 5, **keys}))

    def consumer(self, group=None, on_error=None, **more):
        keys = {key.replace("_", "."): value for key, value in more.items()}
        defaults = {
            "group.id": group or self.name("group"),
            "auto.offset.reset": "earliest",
            "session.timeout.ms": 10000,
            "heartbeat.interval.ms": 300,
            "fetch.wait.max.ms": 100,
        }
        return Consumer(self.config({**defaults, **keys, "error_cb": on_error or (lambda error: None)}))

    def topic(self, hint="topic", partitions=1, **config):
        name = self.name(hint)
        keys = {key.replace("_", "."): value for key, value in config.items()}
        create(self.admin(), NewTopic(name, partitions, 1, config=keys))
        return name


def create(admin, *topics):
    for future in admin.create_topics(list(topics), request_timeout=10).values():
        future.result()


def error_of(function):
    """The name of the error that a call raises, as librdkafka names it."""
    try:
        function()
    except KafkaException as raised:
        return raised.args[0].name()
    raise AssertionError("there was no error")


def send(producer, topic, records):
    """Produces dicts of produce()'s arguments, flushes, and returns the reports; raises the first error."""
    reports = []
    for record in records:
        producer.produce(topic, on_delivery=lambda error, message: reports.append((error, message)), **record)
        producer.poll(0)
    left = producer.flush(20)
    assert left == 0, f"{left} records were not answered"
    for error, _ in reports:
        if error is not None:
            raise KafkaException(error)
    return [message for _, message in reports]


def take(consumer, count, seconds=15):
    """The next `count` records."""
    taken = []

    def more():
        for message in consumer.consume(min(500, count - len(taken)), timeout=0.2):
            error = message.error()
            if error is None:
                taken.append(message)
            elif error.code() != KafkaError._PARTITION_EOF and not error.retriable():
                raise KafkaException(error)
        return len(taken) >= count

    eventually(f"{count} records", more, seconds)
    return taken


def read(context, topic, count, partition=0, offset=0, **more):
    """Reads `count` records of one partition, without a group's coordinator."""
    consumer = context.consumer(**more)
    consumer.assign([TopicPartition(topic, partition, offset)])
    try:
        return take(consumer, count)
    finally:
        consumer.close()


def values(messages):
    return [int(message.value()) for message in messages]


def noise(length):
    """Bytes that no codec makes smaller."""
    state, out = 7, bytearray()
    while len(out) < length:
        state = (state * 6364136223846793005 + 1442695040888963407) % (1 << 64)
        out += state.to_bytes(8, "little")[3:7]
    return bytes(out[:length])
