// The broker is stopped and started, and killed and started, while a producer and a group are at work: nothing is lost,
// nothing is there twice, nothing is out of order.
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.admin.AdminClient;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;

public final class Restart {
    private Restart() {}

    public static void run(Checks checks, Main.Broker broker) {
        for (String how : new String[] {"restart", "kill"}) {
            checks.check("broker: " + how + " under load", () -> underLoad(checks, broker, how));
        }
    }

    private static void underLoad(Checks checks, Main.Broker broker, String how) throws Exception {
        String topic;
        try (AdminClient admin = AdminClient.create(checks.properties())) {
            topic = Clients.topic(checks, admin, how, 3);
        }
        Groups.Member member = new Groups.Member(checks, topic, "group.id", checks.name("group"));
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        AtomicBoolean isStopping = new AtomicBoolean();
        try (KafkaProducer<String, String> producer = Clients.producer(checks, "acks", "all", "enable.idempotence",
                "true", "retries", Integer.MAX_VALUE, "linger.ms", 2)) {
            Thread load = new Thread(() -> {
                for (int i = 0; !isStopping.get(); i++) {
                    sent.add(producer.send(new ProducerRecord<>(topic, i % 3, "k", String.valueOf(i))));
                    if (i % 5 == 0) {
                        try {
                            Thread.sleep(1);
                        } catch (InterruptedException error) {
                            throw new IllegalStateException(error);
                        }
                    }
                }
            });
            load.start();
            Checks.eventually("the group is at work", () -> member.seen.size() > 100);
            broker.ask(how);
            int before = member.seen.size();
            Checks.eventually("the group is at work again", () -> member.seen.size() > before + 300);
            isStopping.set(true);
            load.join();
            producer.flush();
            for (Future<RecordMetadata> one : sent) one.get();
        }
        try {
            Checks.eventually("the group has seen everything", () -> member.seen.size() == sent.size());
        } finally {
            member.stop();
        }
        member.expectWell();
        List<ConsumerRecord<String, String>> all = Clients.all(checks, topic, 3);
        Map<Integer, Integer> last = new TreeMap<>();
        for (ConsumerRecord<String, String> record : all) {
            int value = Integer.parseInt(record.value());
            Integer before = last.put(record.partition(), value);
            Checks.equal(before == null ? record.partition() : before + 3, value);
        }
        Checks.equal(sent.size(), all.size());
        Checks.equal(sent.size(), new HashSet<>(Clients.values(all)).size());
    }
}
