// What later AdminClients no longer have.
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.AdminClient;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.common.config.ConfigResource;

public final class AdminUntil39 {
    private AdminUntil39() {}

    public static void run(Checks checks, Main.Broker broker) {
        try (AdminClient admin = AdminClient.create(checks.properties())) {
            checks.check("admin: alterConfigs replaces everything", () -> alter(checks, admin));
        }
    }

    private static void alter(Checks checks, AdminClient admin) throws Exception {
        ConfigResource topic =
            new ConfigResource(ConfigResource.Type.TOPIC, Clients.topic(checks, admin, "alter", 1));
        admin.alterConfigs(Map.of(topic, new Config(List.of(new ConfigEntry("retention.ms", "777"))))).all().get();
        Checks.equal("777", AdminBase.config(admin, topic).get("retention.ms").value());
        admin.alterConfigs(Map.of(topic, new Config(List.of(new ConfigEntry("max.message.bytes", "888"))))).all().get();
        Checks.equal("888", AdminBase.config(admin, topic).get("max.message.bytes").value());
        Checks.isTrue("a default again", !AdminBase.config(admin, topic).get("retention.ms").value().equals("777"));
        Checks.fails("InvalidConfigurationException", () ->
            admin.alterConfigs(Map.of(topic, new Config(List.of(new ConfigEntry("no.such", "1"))))).all().get());
    }
}
