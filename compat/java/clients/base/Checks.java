// Named checks, one line each on standard output: `ok NAME` or `FAIL NAME: reason`.
import java.util.Arrays;
import java.util.Collection;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;

public final class Checks {
    public interface Body {
        void run() throws Exception;
    }

    private final String bootstrap;
    private final String prefix;
    private int names;

    public Checks(String bootstrap, String prefix) {
        this.bootstrap = bootstrap;
        this.prefix = prefix;
    }

    public void check(String name, Body body) {
        long started = System.nanoTime();
        try {
            body.run();
            System.out.println("ok " + name + " (" + (System.nanoTime() - started) / 1_000_000 + " ms)");
        } catch (Throwable error) {
            String where = Arrays.stream(error.getStackTrace())
                .filter(line -> line.getClassName().indexOf('.') < 0 && !line.getClassName().equals("Checks"))
                .findFirst().map(line -> " at " + line).orElse("");
            System.out.println("FAIL " + name + ": " + String.valueOf(error).replace('\n', ' ') + where);
        }
    }

    /** A name that nothing else uses. */
    public String name(String hint) {
        return prefix + "-" + hint + "-" + ++names;
    }

    public Properties properties(Object... more) {
        Properties all = new Properties();
        all.put("bootstrap.servers", bootstrap);
        all.put("reconnect.backoff.max.ms", "200");
        all.put("retry.backoff.ms", "50");
        for (int i = 0; i < more.length; i += 2) all.put(more[i], String.valueOf(more[i + 1]));
        return all;
    }

    public static void equal(Object expected, Object actual) {
        if (!Objects.equals(expected, actual)) throw new AssertionError("expected " + expected + ", was " + actual);
    }

    public static void isTrue(String what, boolean value) {
        if (!value) throw new AssertionError(what);
    }

    public static <T> void equalSorted(Collection<T> expected, Collection<T> actual) {
        equal(Arrays.toString(expected.stream().map(String::valueOf).sorted().toArray()),
            Arrays.toString(actual.stream().map(String::valueOf).sorted().toArray()));
    }

    public static <K, V> void equalSorted(Map<K, V> expected, Map<K, V> actual) {
        equal(new TreeMap<>(expected), new TreeMap<>(actual));
    }

    /** Fails unless it ends with one of these exceptions, `A|B`, as it is or as the cause of another. */
    public static void fails(String simpleNames, Callable<?> body) throws Exception {
        Object value;
        try {
            value = body.call();
        } catch (Exception error) {
            Throwable cause = error instanceof ExecutionException ? error.getCause() : error;
            for (Throwable one = cause; one != null; one = one.getCause()) {
                if (one.getClass().getSimpleName().matches(simpleNames)) return;
            }
            throw new AssertionError("expected " + simpleNames + ", was " + cause);
        }
        throw new AssertionError("expected " + simpleNames + ", was " + value);
    }

    /** Asks again until it is true. */
    public static void eventually(String what, Callable<Boolean> ask) throws Exception {
        long end = System.nanoTime() + 20_000_000_000L;
        while (!ask.call()) {
            if (System.nanoTime() > end) throw new AssertionError("not within 20 s: " + what);
            Thread.sleep(20);
        }
    }
}
