// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/arch/aarch64/hypercall.hpp>
#include <sel4vm/vm/recording.hpp>

#include <hosts/fake/event_port.hpp>
#include <hosts/fake/services.hpp>
#include <sel4vm/arch/aarch64/irq_service.hpp>

#include <gtest/gtest.h>
#include <string>
#include <thread>
#include <vector>

namespace sel4vm {
namespace {

struct Entry {
    u64 number;
    u64 copies[3];
    u16 odd; // an entry need not be whole words
};

Entry entry(u64 n) { return {n, {n, n, n}, static_cast<u16>(n)}; }

TEST(TraceRing, KeepsTheLatestInTheirOrder) {
    TraceRing<Entry, 4> ring;
    std::array<Entry, 8> out{};
    EXPECT_EQ(ring.latest(out), 0u);
    ring.add(entry(0));
    ASSERT_EQ(ring.latest(out), 1u);
    EXPECT_EQ(out[0].copies[2], 0u);
    for (u64 n = 1; n < 11; ++n)
        ring.add(entry(n));
    EXPECT_EQ(ring.added(), 11u);
    ASSERT_EQ(ring.latest(out), 4u);
    for (usize i = 0; i < 4; ++i)
        EXPECT_EQ(out[i].number, 7 + i);
    EXPECT_EQ(out[3].odd, 10);
    ASSERT_EQ(ring.latest(std::span(out).first(2)), 2u);
    EXPECT_EQ(out[0].number, 9u);
}

TEST(TraceRing, GivesAReaderWholeEntriesWhileItIsWritten) {
    TraceRing<Entry, 8> ring;
    std::atomic<bool> end{false};
    std::thread writer([&] {
        for (u64 n = 0; !end.load(); ++n)
            ring.add(entry(n));
    });
    while (ring.added() < 100)
        std::this_thread::yield();
    std::array<Entry, 8> out{};
    for (int round = 0; round < 10'000; ++round) {
        const usize count = ring.latest(out);
        ASSERT_LE(count, 8u);
        for (usize i = 0; i < count; ++i) {
            ASSERT_EQ(out[i].copies[0], out[i].number);
            ASSERT_EQ(out[i].copies[2], out[i].number);
            ASSERT_EQ(out[i].odd, static_cast<u16>(out[i].number));
            if (i > 0) {
                ASSERT_GT(out[i].number, out[i - 1].number);
            }
        }
    }
    end = true;
    writer.join();
}

EventRecord record_of(const Exit &exit, Answer answer) {
    EventRecord record;
    record.ticks = 7;
    record.event.kind = EventKind::exit;
    record.event.vm = VmId{1};
    record.event.vcpu = VcpuId{2};
    record.event.exit = exit;
    record.answer = answer;
    return record;
}

std::string line(const Exit &exit, Answer answer) { return std::string(describe(record_of(exit, answer)).view()); }

TEST(EventRecord, IsOneLineForPeople) {
    const Gpa at{0x900'0000};
    EXPECT_EQ(line(Exit{MemoryExit{at, 0x41, MemoryAccess::write, Width::b4, true}}, Answer::complete()),
              "7: 1.2 memory write 0x9000000 b4 0x41 -> complete");
    EXPECT_EQ(line(Exit{MemoryExit{at, 0, MemoryAccess::read, Width::b1, false}}, Answer::inject(GuestFault::access)),
              "7: 1.2 memory read 0x9000000 b1 not emulatable -> inject access fault");
    EXPECT_EQ(
        line(Exit{MemoryExit{at, 0, MemoryAccess::write, Width::b8, false, true}}, Answer::inject(GuestFault::access)),
        "7: 1.2 memory write 0x9000000 b8 0x0 of a table walk -> inject access fault");
    EXPECT_EQ(line(Exit{SystemRegisterExit{0xc5, false, 0}}, Answer::complete(0x12)),
              "7: 1.2 system_register read 0xc5 -> complete 0x12");
    EXPECT_EQ(
        line(Exit{aarch64::hypercall(0x8400'0008, 0, aarch64::Conduit::smc)}, Answer::complete().then(Next::stop)),
        "7: 1.2 hypercall 0x84000008 from 0x10000 -> complete, stop");
    EXPECT_EQ(line(Exit{WaitExit{false}}, Answer::complete().then(Next::block)),
              "7: 1.2 wait for an interrupt -> complete, block");
    EXPECT_EQ(line(Exit{aarch64::irq_service(aarch64::IrqService::virtual_timer)}, Answer::go_on()),
              "7: 1.2 irq_service 1 -> go on");
    EXPECT_EQ(line(Exit{UnknownExit{7, 9}}, Answer::none()), "7: 1.2 unknown reason 0x7 syndrome 0x9");
    EventRecord notification;
    notification.event.kind = EventKind::notification;
    notification.event.badge = 5;
    EXPECT_EQ(describe(notification).view(), "0: notification 0x5");
}

TEST(RecordingPort, PassesEverythingOnAndRecordsEventsWithTheirAnswers) {
    fake::Clock clock;
    fake::EventPort events;
    fake::Vcpu vcpu;
    vcpu.set_state(fake::Vcpu::State::runnable);
    events.add(VmId{0}, VcpuId{0}, vcpu);
    EventTrace trace;
    RecordingPort port(events, clock, trace);
    events.script(VmId{0}, VcpuId{0}, Exit{WaitExit{true}});
    events.script(VmId{0}, VcpuId{0}, Exit{aarch64::irq_service(aarch64::IrqService::virtual_timer)});

    Event event;
    clock.set(5);
    port.resume_and_wait(Answer::none(), event);
    EXPECT_EQ(event.exit.kind, ExitKind::wait);
    ASSERT_TRUE(port.open());
    EXPECT_EQ(port.open()->ticks, 5u);
    clock.set(9);
    port.resume_and_wait(Answer::complete(3), event);
    EXPECT_EQ(event.exit.kind, ExitKind::irq_service);
    port.apply(Answer::retry().then(Next::stop));
    EXPECT_FALSE(port.open());
    port.set_timeout(77);
    EXPECT_EQ(events.timeout_ticks(), 77u);
    port.cancel_timeout();
    EXPECT_FALSE(events.timeout_set());

    std::array<EventRecord, 4> out{};
    ASSERT_EQ(trace.ring().latest(out), 2u);
    EXPECT_EQ(describe(out[0]).view(), "5: 0.0 wait for an event -> complete 0x3");
    EXPECT_EQ(describe(out[1]).view(), "9: 0.0 irq_service 1 -> retry, stop");
    ASSERT_EQ(events.answers().size(), 2u);
    EXPECT_EQ(events.answers()[1].answer, Answer::retry().then(Next::stop));
}

} // namespace
} // namespace sel4vm
