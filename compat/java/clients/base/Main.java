// Everything that this release of the clients can do. Arguments: bootstrap, a prefix of names, and the classes of checks
// to run. Each class has `static void run(Checks, Broker)`.
import java.io.BufferedReader;
import java.io.InputStreamReader;

public final class Main {
    /** Lets the broker be stopped and started again by whoever reads this program's output. */
    public static final class Broker {
        private final BufferedReader answers = new BufferedReader(new InputStreamReader(System.in));

        /** `how` is restart or kill; resolves when the broker answers again. */
        public void ask(String how) throws Exception {
            System.out.println("please " + how);
            if (!"done".equals(answers.readLine())) throw new AssertionError("the broker did not come back");
        }
    }

    public static void main(String[] args) throws Exception {
        Checks checks = new Checks(args[0], args[1]);
        Broker broker = new Broker();
        for (int i = 2; i < args.length; i++) {
            Class.forName(args[i]).getMethod("run", Checks.class, Broker.class).invoke(null, checks, broker);
        }
        System.out.println("end");
        System.exit(0);
    }
}
