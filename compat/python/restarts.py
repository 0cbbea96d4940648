"""The broker goes away under a running producer and consumer and comes back: nothing acknowledged is lost, and what an
idempotent producer sent stands in the log once and in order."""

import threading

from harness import ask, equal, eventually, read, scenario, values


def through_restarts(context, interrupt, **config):
    topic = context.topic("running", 3)
    group = context.name("running")
    producer = context.producer(batch_num_messages=20, linger_ms=1, retry_backoff_ms=50, **config)
    acknowledged, failed, sent = [], [], 0

    def report(error, message):
        (failed if error else acknowledged).append(int(message.value()))

    consumer = context.consumer(group)
    consumer.subscribe([topic])
    seen = set()

    def flow(rounds=1):
        nonlocal sent
        for _ in range(rounds):
            for i in range(sent, sent + 60):
                producer.produce(topic, str(i), partition=i % 3, on_delivery=report)
            sent += 60
            producer.poll(0)
            for message in consumer.consume(500, timeout=0.01):
                if message.error() is None:
                    seen.add(int(message.value()))

    for _ in range(3):
        before = len(acknowledged)

        def flowing():
            flow()
            return len(acknowledged) > before + 300

        eventually("records flow", flowing, 20)
        gone = threading.Thread(target=ask, args=(interrupt,))
        gone.start()
        while gone.is_alive():
            flow()
            gone.join(0.05)
    equal(producer.flush(30), 0)
    equal(failed, [])
    equal(sorted(set(acknowledged)), list(range(sent)))

    def all_seen():
        for message in consumer.consume(500, timeout=0.2):
            if message.error() is None:
                seen.add(int(message.value()))
        return len(seen) == sent

    eventually("the consumer has seen them all", all_seen, 30)
    consumer.close()
    if config.get("enable_idempotence"):
        for partition in range(3):
            equal(values(read(context, topic, sent // 3, partition)), list(range(partition, sent, 3)))


@scenario("orderly restarts under load: idempotent", own={}, timeout=90)
def orderly(context):
    through_restarts(context, "restart", enable_idempotence=True)


@scenario("kill -9 under load: idempotent", own={}, timeout=90)
def killed(context):
    through_restarts(context, "kill9", enable_idempotence=True)


@scenario("kill -9 under load: acks=1", own={}, timeout=90)
def killed_acks_1(context):
    through_restarts(context, "kill9", acks=1)
