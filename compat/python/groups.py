"""Consumer groups: members that come and go, assignors, static members, commits."""

from confluent_kafka import TopicPartition

from harness import equal, error_of, eventually, scenario, send, take, values


class Member:
    """A consumer in a group, with what it saw and the partitions it holds."""

    def __init__(self, context, group, topic, **more):
        self.seen = []
        self.revoked = 0
        self.errors = []
        self.consumer = context.consumer(group, on_error=self.errors.append, **more)
        self.consumer.subscribe([topic], on_revoke=self._revoked)

    def _revoked(self, _consumer, partitions):
        self.revoked += len(partitions)

    def poll(self):
        message = self.consumer.poll(0.02)
        if message is not None and message.error() is not None:
            self.errors.append(message.error())
        elif message is not None:
            self.seen.append(message)

    def partitions(self):
        return sorted(partition.partition for partition in self.consumer.assignment())

    def close(self):
        self.consumer.close()


def balanced(members, partitions):
    def question():
        for member in members:
            member.poll()
        held = [member.partitions() for member in members]
        return all(held) and sorted(sum(held, [])) == list(range(partitions))

    eventually(f"{len(members)} members share {partitions} partitions", question, 20)


def come_and_go(context, strategy):
    topic = context.topic("shared", 6)
    group = context.name("shared")
    producer = context.producer()
    sent = 0
    everyone = []

    def join():
        member = Member(context, group, topic, partition_assignment_strategy=strategy)
        everyone.append(member)
        return member

    def produce():
        nonlocal sent
        send(producer, topic, [{"value": str(i), "partition": i % 6} for i in range(sent, sent + 120)])
        sent += 120

    first = join()
    balanced([first], 6)
    produce()
    second, third = join(), join()
    balanced([first, second, third], 6)
    produce()
    second.close()
    balanced([first, third], 6)
    produce()
    kept = third.partitions()
    first.close()
    balanced([third], 6)
    if strategy == "cooperative-sticky":
        assert set(kept) <= set(third.partitions())
    produce()

    def all_seen():
        third.poll()
        return len({m.value() for member in everyone for m in member.seen}) == sent

    eventually("every record was seen", all_seen, 20)
    third.close()
    return everyone


@scenario("members come and go while records flow (range)", timeout=60)
def with_range(context):
    come_and_go(context, "range")


@scenario("members come and go while records flow (roundrobin)", timeout=60)
def with_roundrobin(context):
    come_and_go(context, "roundrobin")


@scenario("members come and go while records flow (cooperative-sticky)", timeout=60)
def with_cooperative(context):
    come_and_go(context, "cooperative-sticky")


@scenario("static members: back under the same instance id without a rebalance, the old one fenced")
def static(context):
    topic = context.topic("static", 4)
    group = context.name("static")

    def join(instance):
        return Member(context, group, topic, group_instance_id=instance, session_timeout_ms=30000)

    first, second = join("one"), join("two")
    balanced([first, second], 4)
    held = second.partitions()
    before = first.revoked
    again = join("two")

    def back():
        first.poll()
        again.poll()
        return again.partitions() == held

    eventually("the same partitions under the same instance id", back)
    equal(first.revoked, before)

    def fenced():
        second.poll()
        return any(error.name() in ("_FATAL", "FENCED_INSTANCE_ID") for error in second.errors)

    eventually("the old member hears that it is fenced", fenced)
    for member in (first, again, second):
        member.close()


@scenario("commit with metadata, leave, come back and go on exactly there")
def resume(context):
    topic = context.topic("resume")
    group = context.name("resume")
    send(context.producer(), topic, [{"value": str(i)} for i in range(40)])
    first = context.consumer(group, enable_auto_commit=False)
    first.subscribe([topic])
    take(first, 40)
    first.commit(offsets=[TopicPartition(topic, 0, 25, metadata="left here")], asynchronous=False)
    [committed] = first.committed([TopicPartition(topic, 0)], timeout=10)
    equal((committed.offset, committed.metadata), (25, "left here"))
    first.close()
    second = context.consumer(group)
    second.subscribe([topic])
    equal(values(take(second, 15)), list(range(25, 40)))
    second.close()
    third = context.consumer(group)
    third.subscribe([topic])
    send(context.producer(), topic, [{"value": "40"}])
    equal(values(take(third, 1)), [40])
    third.close()


@scenario("a commit of a member that is no longer in the group is refused")
def zombie(context):
    topic = context.topic("zombie")
    group = context.name("zombie")
    send(context.producer(), topic, [{"value": "0"}])
    first = context.consumer(group, enable_auto_commit=False, group_instance_id="same")
    first.subscribe([topic])
    take(first, 1)
    second = context.consumer(group, enable_auto_commit=False, group_instance_id="same")
    second.subscribe([topic])
    take(second, 1)
    name = error_of(lambda: first.commit(offsets=[TopicPartition(topic, 0, 1)], asynchronous=False))
    assert name in ("FENCED_INSTANCE_ID", "UNKNOWN_MEMBER_ID", "_FENCED"), name
    second.commit(offsets=[TopicPartition(topic, 0, 1)], asynchronous=False)
    second.close()
    first.close()


@scenario("pause and resume a partition")
def pause(context):
    topic = context.topic("pause", 2)
    producer = context.producer()
    consumer = context.consumer()
    consumer.subscribe([topic])
    send(producer, topic, [{"value": str(i), "partition": i % 2} for i in range(10)])
    take(consumer, 10)
    consumer.pause([TopicPartition(topic, 0)])
    send(producer, topic, [{"value": str(i), "partition": i % 2} for i in range(10, 20)])
    equal({m.partition() for m in take(consumer, 5)}, {1})
    consumer.resume([TopicPartition(topic, 0)])
    equal({m.partition() for m in take(consumer, 5)}, {0})
    consumer.close()
