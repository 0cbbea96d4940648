"""What the admin client offers and this broker serves."""

from confluent_kafka import ConsumerGroupState, ConsumerGroupTopicPartitions, TopicCollection, TopicPartition
from confluent_kafka.admin import ConfigResource, NewPartitions, NewTopic, OffsetSpec, ResourceType

from harness import create, equal, error_of, read, scenario, send, take, values


def result(futures):
    """The one result of a call that gives a future each."""
    [future] = futures.values()
    return future.result(timeout=10)


@scenario("create, describe and list topics, add partitions, delete")
def topics(context):
    admin = context.admin()
    name = context.name("made")
    create(admin, NewTopic(name, 2, 1))
    equal(error_of(lambda: create(admin, NewTopic(name, 2, 1))), "TOPIC_ALREADY_EXISTS")
    equal(sorted(admin.list_topics(name, timeout=10).topics[name].partitions), [0, 1])
    described = result(admin.describe_topics(TopicCollection([name])))
    equal((described.name, described.is_internal, len(described.partitions)), (name, False, 2))
    assert str(described.topic_id) != "AAAAAAAAAAAAAAAAAAAAAA"
    equal([len(partition.isr) for partition in described.partitions], [1, 1])
    result(admin.create_partitions([NewPartitions(name, 5)]))
    equal(len(admin.list_topics(name, timeout=10).topics[name].partitions), 5)
    equal(error_of(lambda: result(admin.create_partitions([NewPartitions(name, 3)]))), "INVALID_PARTITIONS")
    result(admin.delete_topics([name]))
    assert name not in admin.list_topics(timeout=10).topics


@scenario("errors of createTopics and deleteTopics")
def topic_errors(context):
    admin = context.admin()
    name = context.name("never")

    def made(topic):
        return error_of(lambda: create(admin, topic))

    equal(made(NewTopic(name, 1, 3)), "INVALID_REPLICATION_FACTOR")
    equal(made(NewTopic("a b", 1, 1)), "TOPIC_EXCEPTION")
    equal(made(NewTopic("..", 1, 1)), "TOPIC_EXCEPTION")
    equal(made(NewTopic("x" * 250, 1, 1)), "TOPIC_EXCEPTION")
    equal(made(NewTopic(name, 1, 1, config={"no.such.key": "1"})), "INVALID_CONFIG")
    equal(made(NewTopic(name, 1, 1, config={"retention.ms": "soon"})), "INVALID_CONFIG")
    equal(error_of(lambda: result(admin.delete_topics([name]))), "UNKNOWN_TOPIC_OR_PART")
    for future in admin.create_topics([NewTopic(name, 1, 1)], validate_only=True).values():
        future.result()
    assert name not in admin.list_topics(timeout=10).topics


@scenario("many topics in one request")
def many(context):
    admin = context.admin()
    names = [context.name(f"many-{i}") for i in range(50)]
    create(admin, *[NewTopic(name, 2, 1) for name in names])
    assert set(names) <= set(admin.list_topics(timeout=10).topics)
    for future in admin.delete_topics(names).values():
        future.result(timeout=10)
    assert not set(names) & set(admin.list_topics(timeout=10).topics)


@scenario("a topic deleted and made again is another one")
def phoenix(context):
    admin = context.admin()
    name = context.topic("phoenix")
    before = result(admin.describe_topics(TopicCollection([name]))).topic_id
    send(context.producer(enable_idempotence=True), name, [{"value": str(i)} for i in range(10)])
    result(admin.delete_topics([name]))
    create(admin, NewTopic(name, 1, 1))
    assert str(result(admin.describe_topics(TopicCollection([name]))).topic_id) != str(before)
    [report] = send(context.producer(enable_idempotence=True), name, [{"value": "99"}])
    equal(report.offset(), 0)
    equal(values(read(context, name, 1)), [99])


@scenario("describe configs of topics and the broker")
def configs(context):
    admin = context.admin()
    name = context.topic("configured", retention_ms="123456")
    found = result(admin.describe_configs([ConfigResource(ResourceType.TOPIC, name)]))
    equal((found["retention.ms"].value, found["retention.ms"].is_default), ("123456", False))
    equal((found["cleanup.policy"].value, found["cleanup.policy"].is_default), ("delete", True))
    [broker] = admin.list_topics(timeout=10).brokers
    found = result(admin.describe_configs([ConfigResource(ResourceType.BROKER, str(broker))]))
    equal(found["num.partitions"].value, "1")
    unknown = ConfigResource(ResourceType.TOPIC, context.name("unknown"))
    equal(error_of(lambda: result(admin.describe_configs([unknown]))), "UNKNOWN_TOPIC_OR_PART")


@scenario("describe the cluster")
def cluster(context):
    admin = context.admin()
    found = admin.describe_cluster().result(timeout=10)
    assert found.cluster_id
    equal([(node.host, node.port) for node in found.nodes], [("127.0.0.1", context.port)])
    equal(found.controller.id, found.nodes[0].id)


@scenario("list offsets: earliest, latest, of a time, of the highest timestamp")
def offsets(context):
    admin = context.admin()
    name = context.topic("offsets")
    stamps = [1000, 5000, 3000, 4000]
    send(context.producer(), name, [{"value": str(i), "timestamp": stamp} for i, stamp in enumerate(stamps)])

    def at(spec):
        found = result(admin.list_offsets({TopicPartition(name, 0): spec}))
        return found.offset

    equal([at(OffsetSpec.earliest()), at(OffsetSpec.latest())], [0, 4])
    equal(at(OffsetSpec.max_timestamp()), 1)
    equal(at(OffsetSpec.for_timestamp(2000)), 1)


@scenario("list, describe and delete groups; list and alter their offsets")
def groups(context):
    admin = context.admin()
    name = context.topic("managed", 2)
    group = context.name("managed")
    send(context.producer(), name, [{"value": str(i), "partition": 0} for i in range(10)])
    consumer = context.consumer(group, client_id="me")
    consumer.subscribe([name])
    take(consumer, 10)
    consumer.commit(asynchronous=False)

    def listed(**states):
        return {found.group_id: found.state for found in admin.list_consumer_groups(**states).result(10).valid}

    equal(listed().get(group), ConsumerGroupState.STABLE)
    assert group not in listed(states={ConsumerGroupState.EMPTY})
    described = result(admin.describe_consumer_groups([group]))
    equal((described.state, described.partition_assignor), (ConsumerGroupState.STABLE, "range"))
    [member] = described.members
    equal(member.client_id, "me")
    equal(sorted(p.partition for p in member.assignment.topic_partitions), [0, 1])
    equal(error_of(lambda: result(admin.delete_consumer_groups([group]))), "NON_EMPTY_GROUP")
    consumer.close()
    found = result(admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)]))
    equal([(p.partition, p.offset) for p in found.topic_partitions if p.offset >= 0], [(0, 10)])
    change = ConsumerGroupTopicPartitions(group, [TopicPartition(name, 0, 4)])
    result(admin.alter_consumer_group_offsets([change]))
    again = context.consumer(group)
    again.subscribe([name])
    equal(values(take(again, 6)), list(range(4, 10)))
    again.close()
    result(admin.delete_consumer_groups([group]))
    assert group not in listed()
    equal(error_of(lambda: result(admin.delete_consumer_groups([group]))), "GROUP_ID_NOT_FOUND")
