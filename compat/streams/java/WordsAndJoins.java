// Two topologies in one application: a word count (repartition topic, key-value store, changelog) and a windowed join of two
// streams (window stores). Every update is emitted, so the counts of a word that were seen once each, from 1 on, show that
// every word was counted once. Arguments: bootstrap, application id, state folder, guarantee, lines, counts, left, right,
// joined. Prints "state X" at each change of state and "restored N" when stores were filled from their changelogs.
import java.time.Duration;
import java.util.Arrays;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.processor.StateRestoreListener;

public class WordsAndJoins {
  public static void main(String[] args) throws Exception {
    Properties config = new Properties();
    config.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, args[0]);
    config.put(StreamsConfig.APPLICATION_ID_CONFIG, args[1]);
    config.put(StreamsConfig.STATE_DIR_CONFIG, args[2]);
    config.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, args[3]);
    config.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
    config.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
    config.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 0);
    config.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 100);
    config.put(StreamsConfig.consumerPrefix("session.timeout.ms"), 6000);
    config.put(StreamsConfig.consumerPrefix("heartbeat.interval.ms"), 1000);
    config.put(StreamsConfig.consumerPrefix("auto.offset.reset"), "earliest");
    config.put(StreamsConfig.producerPrefix("transaction.timeout.ms"), 10_000);
    config.put(StreamsConfig.restoreConsumerPrefix("max.poll.records"), 1000);

    StreamsBuilder builder = new StreamsBuilder();
    KStream<String, String> lines = builder.stream(args[4]);
    lines
        .flatMapValues(line -> Arrays.asList(line.split(" ")))
        .groupBy((key, word) -> word)
        .count()
        .toStream()
        .mapValues(String::valueOf)
        .to(args[5], Produced.with(Serdes.String(), Serdes.String()));
    KStream<String, String> left = builder.stream(args[6]);
    KStream<String, String> right = builder.stream(args[7]);
    left.join(
            right,
            (a, b) -> a + "+" + b,
            JoinWindows.ofTimeDifferenceWithNoGrace(Duration.ofSeconds(5)))
        .to(args[8]);

    KafkaStreams streams = new KafkaStreams(builder.build(), config);
    streams.setStateListener((now, before) -> System.out.println("state " + now));
    streams.setUncaughtExceptionHandler(
        error -> {
          System.out.println("error " + error);
          return StreamThreadExceptionResponse.REPLACE_THREAD;
        });
    streams.setGlobalStateRestoreListener(
        new StateRestoreListener() {
          public void onRestoreStart(TopicPartition partition, String store, long from, long to) {}

          public void onBatchRestored(TopicPartition partition, String store, long end, long count) {}

          public void onRestoreEnd(TopicPartition partition, String store, long total) {
            System.out.println("restored " + total);
          }
        });
    CountDownLatch stopped = new CountDownLatch(1);
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  streams.close(Duration.ofSeconds(20));
                  System.out.println("closed");
                  stopped.countDown();
                }));
    streams.start();
    stopped.await();
  }
}
