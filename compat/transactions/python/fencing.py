# Two producers of one transactional id, then one that takes too long. Arguments: bootstrap, transactional id, topic, a
# time-out in milliseconds. Prints `zombie ERROR` and `late ERROR`, the names of what the two commits ended with.
import sys
import time

from confluent_kafka import KafkaException, Producer

bootstrap, transactional_id, topic, timeout_ms = sys.argv[1:5]


def begin(transactional_id, timeout_ms, value):
    producer = Producer({
        "bootstrap.servers": bootstrap,
        "transactional.id": transactional_id,
        "transaction.timeout.ms": timeout_ms,
        "message.timeout.ms": timeout_ms,
    })
    producer.init_transactions(20)
    producer.begin_transaction()
    producer.produce(topic, value, partition=0)
    producer.flush(20)
    return producer


def commit(producer):
    try:
        producer.commit_transaction(20)
        return "no error"
    except KafkaException as error:
        return error.args[0].name()


zombie = begin(transactional_id, 60000, "of the zombie")
heir = begin(transactional_id, 60000, "of the heir")
print("zombie", commit(zombie), flush=True)
heir.commit_transaction(20)
late = begin(f"{transactional_id}-late", int(timeout_ms), "too late")
time.sleep(int(timeout_ms) / 1000 + 1)
print("late", commit(late), flush=True)
