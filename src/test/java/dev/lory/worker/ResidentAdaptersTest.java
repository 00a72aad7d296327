package dev.lory.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lory.adapter.AdapterSet;
import dev.lory.adapter.AdapterSlots;
import dev.lory.adapter.AdapterWeights;
import dev.lory.adapter.LoraWeights;
import dev.lory.error.ErrorCode;
import dev.lory.error.ServiceException;
import dev.lory.worker.DesiredState.DesiredAdapter;
import dev.lory.worker.DesiredState.Residency;
import dev.lory.worker.GenerationRequest.WeightedAdapter;
import dev.lory.worker.ResidentAdapters.Device;
import dev.lory.worker.ResidentAdapters.Patience;
import dev.lory.worker.WorkerStatus.AdapterStatus;
import dev.lory.worker.WorkerStatus.AdapterStatus.State;
import dev.lory.worker.WorkerStatus.Tier;
import dev.lory.xlora.XLoraOverrides;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Who is on the device, who goes, who waits, and what a request may run with together. Every adapter has 100 bytes. */
@Timeout(60)
final class ResidentAdaptersTest {
    private static final long BYTES = 100;
    private static final int ROUNDS = 400;

    private final ExecutorService engine = Executors.newSingleThreadExecutor();
    private final AdapterSlots slots = new AdapterSlots(1);
    /** By source, what is in the files now. */
    private final Map<String, String> content = new ConcurrentHashMap<>();

    private long revision;

    @AfterEach
    void stop() {
        engine.close();
    }

    private ResidentAdapters adapters(int maxLoras, long maxBytes) {
        return adapters(maxLoras, maxBytes, new Patience(Duration.ofMillis(300), Duration.ofMillis(50), 100));
    }

    private ResidentAdapters adapters(int maxLoras, long maxBytes, Patience patience) {
        Device device = new Device(
                this::read,
                action -> CompletableFuture.supplyAsync(() -> action.apply(slots), engine)
                        .join(),
                action -> engine.execute(() -> action.accept(slots)));
        return new ResidentAdapters(device, new ResidencyLimits(maxLoras, maxBytes), patience);
    }

    private AdapterWeights read(String source) {
        if (source.equals("broken")) {
            throw new ServiceException(ErrorCode.INVALID_ADAPTER, "it is broken");
        }
        String digest = content.getOrDefault(source, source);
        String exclusive = source.equals("dora") ? "use_dora" : "";
        return new LoraWeights(digest, 1, BYTES, List.of("q_proj"), exclusive, Map.of());
    }

    private List<String> apply(ResidentAdapters adapters, DesiredAdapter... wanted) {
        return adapters.apply(new DesiredState(++revision, List.of(wanted)));
    }

    private static DesiredAdapter wanted(String name) {
        return new DesiredAdapter(name, name);
    }

    private static DesiredAdapter wanted(String name, Residency residency, long wantedAt) {
        return new DesiredAdapter(name, name, 0, residency, wantedAt, XLoraOverrides.NONE);
    }

    private static Lease lease(ResidentAdapters adapters, String... names) {
        List<WeightedAdapter> set = new ArrayList<>();
        for (String name : names) {
            set.add(new WeightedAdapter(name, 1));
        }
        return adapters.lease(set);
    }

    private static List<String> onDevice(ResidentAdapters adapters) {
        return adapters.status().stream()
                .filter(status -> status.tier() == Tier.DEVICE)
                .map(AdapterStatus::name)
                .toList();
    }

    private static AdapterStatus status(ResidentAdapters adapters, String name) {
        return adapters.status().stream()
                .filter(status -> status.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    /** What the engine was told to do later is done. */
    private void settle() throws Exception {
        engine.submit(() -> {}).get();
    }

    @Test
    void anAdapterThatIsNoDeltaRunsAloneAndWithWeightOne() {
        ResidentAdapters adapters = adapters(0, 0);
        assertThat(apply(adapters, wanted("plain"), wanted("dora"))).containsExactly("plain", "dora");
        WeightedAdapter dora = new WeightedAdapter("dora", 1);
        WeightedAdapter plain = new WeightedAdapter("plain", 1);

        for (List<WeightedAdapter> refused :
                List.of(List.of(dora, plain), List.of(plain, dora), List.of(new WeightedAdapter("dora", 0.5f)))) {
            assertRefused(
                    () -> adapters.lease(refused),
                    ErrorCode.INVALID_REQUEST,
                    "adapter dora can only run alone and with weight 1");
        }
        assertThat(adapters.status())
                .allSatisfy(status -> assertThat(status.leases()).isZero());
        assertThat(adapters.lease(List.of(dora)).used()).hasSize(1);
        assertThat(adapters.lease(List.of(new WeightedAdapter("plain", 0.5f))).used())
                .hasSize(1);
    }

    @Test
    void theOneNotUsedForLongestMakesRoom() {
        ResidentAdapters adapters = adapters(2, 0);
        assertThat(apply(adapters, wanted("a"), wanted("b"), wanted("c"))).containsExactly("a", "b");
        assertThat(status(adapters, "c").state()).isEqualTo(State.READY);

        adapters.release(lease(adapters, "a"));
        adapters.release(lease(adapters, "c"));
        assertThat(onDevice(adapters)).containsExactly("a", "c");
        adapters.release(lease(adapters, "b"));
        assertThat(onDevice(adapters)).containsExactly("b", "c");
        assertThat(adapters.residency().hits()).isEqualTo(1);
        assertThat(adapters.residency().misses()).isEqualTo(2);
        assertThat(adapters.residency().evictions()).isEqualTo(2);
        assertThat(status(adapters, "a").digest()).isEqualTo("a");
    }

    @Test
    void bytesCountAsSlotsDo() {
        ResidentAdapters adapters = adapters(0, 2 * BYTES + 1);
        apply(adapters, wanted("a"), wanted("b"), wanted("c"));
        assertThat(onDevice(adapters)).containsExactly("a", "b");
        adapters.release(lease(adapters, "c"));
        assertThat(onDevice(adapters)).containsExactly("b", "c");
        assertThat(adapters.residency().bytes()).isEqualTo(2 * BYTES);
    }

    @Test
    void anAdapterThatCanNeverFitIsRefused() {
        ResidentAdapters adapters = adapters(0, BYTES - 1);
        apply(adapters, wanted("a"));
        assertThat(status(adapters, "a").state()).isEqualTo(State.FAILED);
        assertThat(status(adapters, "a").reason()).contains("--max-lora-bytes allows 99");
        assertRefused(() -> lease(adapters, "a"), ErrorCode.UNAVAILABLE, "could not be loaded");
    }

    @Test
    void aSetLargerThanTheDeviceIsRefused() {
        ResidentAdapters adapters = adapters(1, 0);
        apply(adapters, wanted("a"), wanted("b"));
        assertRefused(() -> lease(adapters, "a", "b"), ErrorCode.INVALID_REQUEST, "--max-loras allows 1");
    }

    @Test
    void aPinnedAdapterStays() {
        ResidentAdapters adapters = adapters(2, 0);
        apply(adapters, wanted("a", Residency.PINNED, 0), wanted("b"), wanted("c"));
        adapters.release(lease(adapters, "c"));
        adapters.release(lease(adapters, "b"));
        assertThat(onDevice(adapters)).containsExactly("a", "b");
        assertThat(status(adapters, "a").pinned()).isTrue();

        apply(adapters, wanted("a"), wanted("b"), wanted("c", Residency.PINNED, 0));
        assertThat(onDevice(adapters)).contains("c").hasSize(2);
    }

    @Test
    void whatIsAskedForAnewEvictsAndWhatIsNotDoesNot() {
        ResidentAdapters adapters = adapters(1, 0);
        apply(adapters, wanted("a"), wanted("b"));
        apply(adapters, wanted("a"), wanted("b"), wanted("c", Residency.ON_DEMAND, revision + 1));
        assertThat(onDevice(adapters)).containsExactly("c");
        apply(adapters, wanted("a"), wanted("b"), wanted("c", Residency.ON_DEMAND, revision));
        assertThat(onDevice(adapters)).containsExactly("c");
        apply(adapters, wanted("a"), wanted("b", Residency.ON_DEMAND, revision + 1), wanted("c"));
        assertThat(onDevice(adapters)).containsExactly("b");
    }

    @Test
    void anUnloadedAdapterIsRefusedAndGoesWithItsLastLease() throws Exception {
        ResidentAdapters adapters = adapters(2, 0);
        apply(adapters, wanted("a"), wanted("b"));
        Lease running = lease(adapters, "a");
        apply(adapters, wanted("a", Residency.UNLOADED, 0), wanted("b"));
        assertRefused(() -> lease(adapters, "a"), ErrorCode.ADAPTER_NOT_FOUND, "adapter a is unloaded");
        assertThat(status(adapters, "a").state()).isEqualTo(State.UNLOADED);
        assertThat(status(adapters, "a").leases()).isEqualTo(1);
        adapters.release(running);
        settle();
        assertThat(status(adapters, "a").tier()).isEqualTo(Tier.DISK);
        assertThat(adapters.residency().bytes()).isEqualTo(BYTES);

        apply(adapters, wanted("a", Residency.ON_DEMAND, revision + 1), wanted("b"));
        assertThat(lease(adapters, "a").used()).hasSize(1);
    }

    @Test
    void otherContentUnderTheSameNameIsNeverServedByAccident() {
        ResidentAdapters adapters = adapters(1, 0);
        apply(adapters, wanted("a"), wanted("b"));
        adapters.release(lease(adapters, "b"));
        content.put("a", "changed");
        assertRefused(() -> lease(adapters, "a"), ErrorCode.UNAVAILABLE, "could not be loaded");
        assertThat(status(adapters, "a").state()).isEqualTo(State.FAILED);
        assertThat(status(adapters, "a").reason()).contains("has other content than when it was first");

        apply(
                adapters,
                new DesiredAdapter("a", "a", 1, Residency.ON_DEMAND, revision + 1, XLoraOverrides.NONE),
                wanted("b"));
        assertThat(lease(adapters, "a").used())
                .singleElement()
                .satisfies(used -> assertThat(used.digest()).isEqualTo("changed"));
    }

    @Test
    void aReplacedAdapterRunsOnForWhoHasIt() throws Exception {
        ResidentAdapters adapters = adapters(0, 0);
        apply(adapters, wanted("a"));
        Lease before = lease(adapters, "a");
        apply(adapters, new DesiredAdapter("a", "other"));
        Lease after = lease(adapters, "a");
        assertThat(slot(before)).isNotEqualTo(slot(after));
        assertThat(after.used().getFirst().digest()).isEqualTo("other");
        adapters.release(before);
        settle();
        assertThat(adapters.residency().loras()).isEqualTo(1);
    }

    @Test
    void saysWhyAnAdapterCannotBeLoaded() {
        ResidentAdapters adapters = adapters(0, 0);
        assertThat(apply(adapters, wanted("broken"), wanted("a"))).containsExactly("a");
        assertRefused(
                () -> lease(adapters, "broken"), ErrorCode.UNAVAILABLE, "could not be loaded; its state says why");
        assertThat(adapters.status().getFirst().reason()).isEqualTo("it is broken");
        assertRefused(() -> lease(adapters, "none"), ErrorCode.ADAPTER_NOT_FOUND, "adapter none is not there");
        assertRefused(() -> lease(adapters, "a", "a"), ErrorCode.INVALID_REQUEST, "adapter a is named twice");
    }

    @Test
    void whoFindsNoRoomInTimeIsToldSo() {
        ResidentAdapters adapters = adapters(1, 0);
        apply(adapters, wanted("a"), wanted("b"));
        Lease running = lease(adapters, "a");
        assertRefused(() -> lease(adapters, "b"), ErrorCode.UNAVAILABLE, "no room for another adapter");
        adapters.release(running);
        assertThat(lease(adapters, "b").used()).hasSize(1);
    }

    @Test
    void nobodyIsRefusedWhileTheLineMoves() throws Exception {
        ResidentAdapters adapters = adapters(1, 0);
        apply(adapters, IntStream.range(0, 12).mapToObj(i -> wanted("a" + i)).toArray(DesiredAdapter[]::new));
        try (ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Object>> served = IntStream.range(0, 12)
                    .mapToObj(i -> clients.submit(() -> {
                        Lease lease = lease(adapters, "a" + i);
                        Thread.sleep(50); // together twice as long as the patience
                        adapters.release(lease);
                        return new Object();
                    }))
                    .toList();
            for (Future<Object> each : served) {
                assertThat(each.get(10, TimeUnit.SECONDS)).isNotNull();
            }
        }
        assertThat(adapters.residency().waiting()).isZero();
    }

    /** One request after the other, each begun before the last has ended, would keep the slot of a for ever. */
    @Test
    void aBusyAdapterMakesRoomAfterAWhile() throws Exception {
        Patience patience = new Patience(Duration.ofSeconds(30), Duration.ofMillis(50), 100);
        ResidentAdapters adapters = adapters(1, 0, patience);
        apply(adapters, wanted("a"), wanted("b"));
        try (ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
            Lease first = lease(adapters, "a");
            Future<Lease> other = clients.submit(() -> lease(adapters, "b"));
            Future<Lease> next = clients.submit(() -> lease(adapters, "a"));
            while (isServed(next)) {
                adapters.release(first);
                first = next.get();
                next = clients.submit(() -> lease(adapters, "a"));
            }
            assertThat(other).isNotDone();
            adapters.release(first);
            adapters.release(other.get(10, TimeUnit.SECONDS));
            adapters.release(next.get(10, TimeUnit.SECONDS));
        }
        assertThat(adapters.residency().evictions()).isEqualTo(2);
    }

    private static boolean isServed(Future<Lease> request) throws Exception {
        try {
            request.get(200, TimeUnit.MILLISECONDS);
            return true;
        } catch (TimeoutException e) {
            return false;
        }
    }

    /** Whoever has a lease has his slots for himself, and there are never more than allowed, whatever operators do meanwhile. */
    @Test
    void holdsUnderRandomTraffic() throws Exception {
        int names = 9;
        int max = 4;
        ResidentAdapters adapters = adapters(max, 0, new Patience(Duration.ofSeconds(30), Duration.ofMillis(1), 1000));
        DesiredAdapter[] wanted =
                IntStream.range(0, names).mapToObj(i -> wanted("n" + i)).toArray(DesiredAdapter[]::new);
        apply(adapters, wanted);
        Map<Integer, String> bySlot = new HashMap<>();
        Map<Integer, Integer> users = new HashMap<>();
        List<Future<Integer>> clients = new ArrayList<>();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int client = 0; client < 8; client++) {
                Random random = new Random(client);
                clients.add(threads.submit(() -> {
                    int served = 0;
                    for (int round = 0; round < ROUNDS; round++) {
                        int a = random.nextInt(names);
                        String[] set = random.nextInt(4) == 0
                                ? new String[] {"n" + a, "n" + (a + 1) % names}
                                : new String[] {"n" + a};
                        served += use(adapters, set, bySlot, users, max) ? 1 : 0;
                    }
                    return served;
                }));
            }
            Random random = new Random(99);
            while (clients.stream().anyMatch(client -> !client.isDone())) {
                int i = random.nextInt(names);
                Residency residency = random.nextInt(3) == 0 ? Residency.UNLOADED : Residency.ON_DEMAND;
                long generation = wanted[i].generation() + random.nextInt(2);
                wanted[i] = new DesiredAdapter(
                        "n" + i, "n" + i, generation, residency, revision + random.nextInt(3), XLoraOverrides.NONE);
                content.put("n" + i, "n" + i + "/" + generation);
                if (generation == wanted[i].generation()) {
                    apply(adapters, wanted);
                }
            }
            int served = 0;
            for (Future<Integer> client : clients) {
                served += client.get();
            }
            assertThat(served).isGreaterThan(ROUNDS);
        }
        settle();
        assertThat(adapters.status())
                .allSatisfy(status -> assertThat(status.leases()).isZero());
        assertThat(adapters.residency().loras())
                .isEqualTo(onDevice(adapters).size())
                .isLessThanOrEqualTo(max);
    }

    /** False if it was refused, as an operator may have wanted. */
    private static boolean use(
            ResidentAdapters adapters,
            String[] names,
            Map<Integer, String> bySlot,
            Map<Integer, Integer> users,
            int max) {
        Lease lease;
        try {
            lease = lease(adapters, names);
        } catch (ServiceException e) {
            assertThat(e.code()).isIn(ErrorCode.ADAPTER_NOT_FOUND, ErrorCode.UNAVAILABLE);
            return false;
        }
        synchronized (users) {
            for (AdapterSet.Member member : lease.set().members()) {
                assertThat(bySlot.getOrDefault(member.slot(), member.digest())).isEqualTo(member.digest());
                bySlot.put(member.slot(), member.digest());
                users.merge(member.slot(), 1, Integer::sum);
            }
            assertThat(users.size()).isLessThanOrEqualTo(max);
        }
        Thread.yield();
        synchronized (users) {
            for (AdapterSet.Member member : lease.set().members()) {
                if (users.merge(member.slot(), -1, Integer::sum) == 0) {
                    users.remove(member.slot());
                    bySlot.remove(member.slot());
                }
            }
        }
        adapters.release(lease);
        return true;
    }

    private static int slot(Lease lease) {
        return lease.set().members().getFirst().slot();
    }

    private static void assertRefused(Runnable action, ErrorCode code, String words) {
        assertThatThrownBy(action::run)
                .isInstanceOfSatisfying(
                        ServiceException.class, e -> assertThat(e.code()).isEqualTo(code))
                .hasMessageContaining(words);
    }
}
