// Groups of clients since 2.4: incremental rebalances (KIP-429) and members that keep their place (KIP-345).
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClient;
import org.apache.kafka.clients.admin.MemberToRemove;
import org.apache.kafka.clients.admin.RemoveMembersFromConsumerGroupOptions;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;

public final class GroupsSince28 {
    private GroupsSince28() {}

    public static void run(Checks checks, Main.Broker broker) {
        try (AdminClient admin = (AdminClient) Admin.create(checks.properties())) {
            checks.check("group: CooperativeStickyAssignor, members come and go", () -> cooperative(checks, admin));
            checks.check("group: a static member comes back to what it had", () -> staticMember(checks, admin));
        }
    }

    private static void cooperative(Checks checks, AdminClient admin) throws Exception {
        List<Groups.Member> members = Groups.comeAndGo(checks, admin, Groups.ASSIGNORS + "CooperativeStickyAssignor");
        // Six partitions: 6, then 3 + 3, then 2 + 2 + 2: the first gives up 3 and 1, and what it has when it leaves.
        Checks.equal(3 + 1 + 2, members.get(0).revoked);
    }

    private static void staticMember(Checks checks, AdminClient admin) throws Exception {
        String topic = Clients.topic(checks, admin, "static", 4);
        String group = checks.name("group");
        List<Set<TopicPartition>> had = new ArrayList<>();
        List<Integer> generations = new ArrayList<>();
        for (int life = 0; life < 3; life++) {
            try (KafkaConsumer<String, String> consumer = Clients.consumer(checks, "group.id", group,
                    "group.instance.id", "it")) {
                consumer.subscribe(List.of(topic));
                Checks.eventually("an assignment", () -> {
                    consumer.poll(Duration.ofMillis(50));
                    return !consumer.assignment().isEmpty();
                });
                had.add(consumer.assignment());
                generations.add(consumer.groupMetadata().generationId());
            }
        }
        Checks.equal(4, had.get(0).size());
        Checks.equal(List.of(1, 1, 1), generations);
        admin.removeMembersFromConsumerGroup(group,
            new RemoveMembersFromConsumerGroupOptions(List.of(new MemberToRemove("it")))).all().get();
        Checks.equal(0, admin.describeConsumerGroups(List.of(group)).all().get().get(group).members().size());
    }
}
