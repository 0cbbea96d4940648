"""kafka-python told to speak to an old broker: old_client.py VERSION produce|consume BOOTSTRAP TOPIC …, as the Java programs."""
import sys

from kafka import KafkaConsumer, KafkaProducer

version = tuple(int(part) for part in sys.argv[1].split('.'))
action, bootstrap, topic, name = sys.argv[2:6]


def produce(label, codecs):
    for codec in codecs:
        producer = KafkaProducer(
            bootstrap_servers=bootstrap, api_version=version, acks='all', linger_ms=50,
            compression_type=None if codec == 'none' else codec,
        )
        sent = []
        for i in range(10):
            key = None if i % 5 == 0 else ('%s-%d' % (codec, i)).encode()
            value = ('%s %s %d' % (label, codec, i)).encode() + (b'x' * 3000 if i == 3 else b'')
            sent.append(producer.send(topic, None if i == 7 else value, key, partition=0))
        for future in sent:
            future.get(20)
        producer.close()


def consume(group, count):
    consumer = KafkaConsumer(
        topic, bootstrap_servers=bootstrap, api_version=version, group_id=group,
        auto_offset_reset='earliest', enable_auto_commit=False,
    )
    text = lambda value: '\\N' if value is None else value.decode()
    for record in consumer:
        print('%d\t%s\t%s' % (record.offset, text(record.key), text(record.value)), flush=True)
        count -= 1
        if count == 0:
            break
    consumer.commit()
    consumer.close()


if action == 'produce':
    produce(name, sys.argv[6:])
else:
    consume(name, int(sys.argv[6]))
