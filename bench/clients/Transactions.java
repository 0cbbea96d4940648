// Transactions as fast as each producer can: one record, commit, again. Arguments: bootstrap, topic, producers, bytes, how
// long to warm up and to run in ms. Prints one JSON object: commits in all, counted ones, p50 and p99 in us, CPU ms while counting.
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

public class Transactions {
  static volatile boolean counting, ended;
  static volatile Throwable failed;
  static final AtomicLong total = new AtomicLong();
  static long[] samples = new long[1 << 20];
  static final AtomicLong counted = new AtomicLong();

  public static void main(String[] args) throws Exception {
    int producers = Integer.parseInt(args[2]);
    byte[] value = new byte[Integer.parseInt(args[3])];
    Thread[] threads = new Thread[producers];
    String run = Long.toString(System.nanoTime(), 36);
    for (int n = 0; n < producers; n++) {
      String id = "bench-" + run + "-" + n;
      threads[n] = new Thread(() -> work(args[0], args[1], id, value));
      threads[n].start();
    }
    Thread.sleep(Long.parseLong(args[4]));
    long cpu = cpuMs();
    counting = true;
    Thread.sleep(Long.parseLong(args[5]));
    counting = false;
    cpu = cpuMs() - cpu;
    ended = true;
    for (Thread thread : threads) thread.join();
    if (failed != null) throw new IllegalStateException(args[0], failed);
    int count = (int) Math.min(counted.get(), samples.length);
    Arrays.sort(samples, 0, count);
    System.out.printf(
        "{\"total\":%d,\"counted\":%d,\"p50\":%d,\"p99\":%d,\"cpu\":%d}%n",
        total.get(), counted.get(), samples[count / 2], samples[(int) (count * 0.99)], cpu);
    System.exit(0);
  }

  static long cpuMs() {
    var system = (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    return system.getProcessCpuTime() / 1_000_000;
  }

  static void work(String bootstrap, String topic, String id, byte[] value) {
    Map<String, Object> config =
        Map.of("bootstrap.servers", bootstrap, "transactional.id", id, "linger.ms", 0, "buffer.memory", 1 << 20);
    try (var producer = new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer())) {
      producer.initTransactions();
      while (!ended) {
        long from = System.nanoTime();
        producer.beginTransaction();
        producer.send(new ProducerRecord<>(topic, value));
        // commitTransaction() does that too, but may find its batch not there yet, and end a transaction that is empty.
        producer.flush();
        producer.commitTransaction();
        total.incrementAndGet();
        if (!counting) continue;
        long n = counted.getAndIncrement();
        if (n < samples.length) samples[(int) n] = (System.nanoTime() - from) / 1000;
      }
    } catch (Throwable error) {
      failed = error;
      ended = true;
    }
  }
}
