// Two producers of one transactional id, then one that takes too long. Arguments: bootstrap, transactional id, topic, a
// time-out in milliseconds. Prints `zombie ERROR` and `late ERROR`, the names of what the two commits ended with.
import java.util.Properties;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;

public class Fencing {
    private static String bootstrap, topic;

    public static void main(String[] args) throws Exception {
        bootstrap = args[0];
        topic = args[2];
        KafkaProducer<String, String> zombie = begin(args[1], "60000", "of the zombie");
        KafkaProducer<String, String> heir = begin(args[1], "60000", "of the heir");
        System.out.println("zombie " + commit(zombie));
        heir.commitTransaction();
        KafkaProducer<String, String> late = begin(args[1] + "-late", args[3], "too late");
        Thread.sleep(Long.parseLong(args[3]) + 1000);
        System.out.println("late " + commit(late));
        System.exit(0);
    }

    private static KafkaProducer<String, String> begin(String id, String timeoutMs, String value) {
        Properties p = new Properties();
        p.put("bootstrap.servers", bootstrap);
        p.put("transactional.id", id);
        p.put("transaction.timeout.ms", timeoutMs);
        p.put("key.serializer", "org.apache.kafka.common.serialization.StringSerializer");
        p.put("value.serializer", "org.apache.kafka.common.serialization.StringSerializer");
        KafkaProducer<String, String> producer = new KafkaProducer<>(p);
        producer.initTransactions();
        producer.beginTransaction();
        producer.send(new ProducerRecord<>(topic, 0, null, value));
        producer.flush();
        return producer;
    }

    private static String commit(KafkaProducer<String, String> producer) {
        try {
            producer.commitTransaction();
            return "no error";
        } catch (KafkaException error) {
            return error.getClass().getSimpleName();
        }
    }
}
