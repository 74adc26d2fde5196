// SPDX-License-Identifier: BSD-2-Clause
//
// An application that tests the platform half of the host on the machine it runs on: prints what it found, uses each part, and says
// "selftest: passed". With `panic`, `fault`, `overflow` or `write-code` in the boot arguments it dies that way instead; with `input` it reads
// the console up to a full stop, slowly, and says how much it got.
#include <hosts/el2/boot/image_layout.hpp>
#include <hosts/el2/host.hpp>
#include <hosts/el2/lib/sysreg.hpp>
#include <hosts/el2/secondary_cpu.hpp>

#include <sel4vm/base/text.hpp>

#include <algorithm>
#include <array>

namespace sel4vm::el2 {
namespace {

class SelfTest {
public:
    explicit SelfTest(Host &host) : host_(host) {}

    int run() {
        facts();
        heap();
        guest_memory();
        stage2();
        interrupts();
        services();
        say(failures_ == 0 ? "passed" : "FAILED");
        return failures_ == 0 ? 0 : 1;
    }

private:
    void say(std::string_view text) { host_.log().line(LogLevel::info, "selftest", text); }
    template <class... T>
    void fact(const T &...parts) {
        Text<200> text;
        (text << ... << parts);
        say(text.view());
    }
    void expect(bool ok, std::string_view what) {
        if (ok)
            return;
        ++failures_;
        host_.log().line(LogLevel::error, "selftest", what);
    }
    template <class F>
    u64 ticks(F &&work) {
        const u64 before = host_.clock().now_ticks();
        work();
        return host_.clock().now_ticks() - before;
    }

    void facts() {
        const PlatformInfo &p = host_.platform();
        fact("model ", p.model, ", ", p.cpus.size(), " CPUs, GICv", p.gic.version == GicVersion::v2 ? 2U : 3U, " with ",
             host_.gic().intid_count(), " INTIDs, timer ", p.timer.physical, " ", p.timer.virt, " ", p.timer.hypervisor,
             ", maintenance ", p.gic.maintenance->intid);
        fact("started ", host_.clock().now_ticks(), " ticks after power-on");
        for (const auto &range : p.ram)
            fact("ram ", Hex{range.base().value()}, " ", Hex{range.size()});
        for (const auto &range : p.reserved)
            fact("reserved ", Hex{range.base().value()}, " ", Hex{range.size()});
        fact("image ", Hex{address_of_symbol(__image_start)}, ", free ", host_.pages().free_bytes() / kMiB,
             " MiB, console irq ", p.uart.irq ? p.uart.irq->intid : 0, ", bundle ", host_.bundle().size(),
             " bytes, bootargs '", host_.bootargs(), "'");
        if (!host_.bundle().empty()) {
            u64 sum = 0;
            for (const u8 byte : host_.bundle())
                sum = sum * 31 + byte;
            fact("bundle hash ", Hex{sum});
        }
    }

    void heap() {
        Heap &heap = host_.heap();
        const u64 before = host_.pages().free_bytes();
        std::array<void *, 64> blocks{};
        for (usize i = 0; i < blocks.size(); ++i) {
            blocks[i] = heap.allocate(24 + 100 * i, 16);
            expect(blocks[i] != nullptr && reinterpret_cast<uptr>(blocks[i]) % 16 == 0,
                   "heap: no block, or misaligned");
            std::fill_n(static_cast<u8 *>(blocks[i]), 24 + 100 * i, static_cast<u8>(i));
        }
        for (usize i = 0; i < blocks.size(); ++i) {
            const auto *bytes = static_cast<u8 *>(blocks[i]);
            expect(std::all_of(bytes, bytes + 24 + 100 * i, [&](u8 b) { return b == i; }),
                   "heap: a block was overwritten");
            heap.deallocate(blocks[i], 24 + 100 * i, 16);
        }
        void *big = heap.allocate(5 * kMiB, 64 * kKiB);
        expect(big != nullptr && reinterpret_cast<uptr>(big) % (64 * kKiB) == 0, "heap: no large block, or misaligned");
        heap.deallocate(big, 5 * kMiB, 64 * kKiB);
        expect(before - host_.pages().free_bytes() <= 64 * kKiB, "heap: memory was lost");
        expect(heap.allocate(~usize{0} / 2, 8) == nullptr, "heap: an impossible size was allocated");
    }

    static bool all_zero(const RamBlock &block) {
        const auto *words = reinterpret_cast<const volatile u64 *>(block.window);
        for (u64 i = 0; i < block.size_bytes / 8; ++i) {
            if (words[i] != 0)
                return false;
        }
        return true;
    }

    void guest_memory() {
        const u64 before = host_.pages().free_bytes();
        for (const u64 size : {kPageBytes, 64 * kKiB, 2 * kMiB, 6 * kMiB}) {
            auto block = host_.pages().allocate_ram(size, kPageBytes, Clearing::cleared);
            expect(block.has_value() && block->size_bytes == size, "ram: not allocated whole");
            expect(all_zero(*block), "ram: not cleared");
            auto *words = reinterpret_cast<volatile u64 *>(block->window);
            for (u64 i = 0; i < size / 8; ++i)
                words[i] = ~i;
            host_.pages().free_ram(*block);
            auto again = host_.pages().allocate_ram(size, kPageBytes, Clearing::cleared);
            expect(again.has_value() && all_zero(*again), "ram: another guest's data was left");
            host_.pages().free_ram(*again);
        }
        auto odd = host_.pages().allocate_ram(5 * kMiB, 2 * kMiB, Clearing::cleared);
        expect(odd.has_value() && odd->size_bytes == 4 * kMiB && odd->phys.value() % (2 * kMiB) == 0,
               "ram: whole blocks first, the rest later");
        host_.pages().free_ram(*odd);
        expect(!host_.pages().allocate_ram(0, kPageBytes, Clearing::skip), "ram: nothing was allocated");
        expect(before == host_.pages().free_bytes(), "ram: memory was lost");
    }

    void stage2() {
        auto made = host_.make_guest_space();
        expect(made.has_value(), "stage 2: no space");
        GuestSpace &space = **made;
        auto other = host_.make_guest_space();
        expect(other.has_value() && (*other)->translation_base() >> 48 != space.translation_base() >> 48,
               "stage 2: one VMID for two");
        fact("stage 2: ", space.address_bits(), " bits, vtcr ", Hex{space.translation_control()}, ", vttbr ",
             Hex{space.translation_base()});

        const u64 before = host_.pages().free_bytes();
        for (const Clearing clearing : {Clearing::skip, Clearing::cleared}) {
            const auto range = *GpaRange::make(Gpa{0x4000'0000}, 256 * kMiB);
            Result<RamBlock, HostError> block = Err{HostError{}};
            const u64 cost = ticks([&] {
                block = space.allocate_ram(range.size(), 2 * kMiB, clearing);
                expect(block.has_value() && space.map_ram(range, *block, 0, Protection::read_write_execute).has_value(),
                       "stage 2: 256 MiB");
            });
            fact("256 MiB ", clearing == Clearing::cleared ? "cleared" : "not cleared", ": ", cost, " ticks");
            expect(translate(space, 0x4123'4567) == block->phys.value() + 0x123'4567, "stage 2: wrong translation");
            expect(!translate(space, 0x3fff'f000) && !translate(space, 0x5000'0000), "stage 2: too much is mapped");
            expect(!space.map_ram(*GpaRange::make(Gpa{0x4f00'0000}, kPageBytes), *block, 0, Protection::read_only),
                   "stage 2: overlap");

            const auto page = *GpaRange::make(Gpa{0x4120'1000}, kPageBytes);
            expect(space.protect(page, Protection::read_only).has_value(), "stage 2: protect");
            expect(translate(space, 0x4120'1000).has_value() && !translate_write(space, 0x4120'1000) &&
                       translate_write(space, 0x4120'2000).has_value(),
                   "stage 2: read-only page");
            space.unmap(page);
            expect(!translate(space, 0x4120'1000) && translate(space, 0x4120'2000).has_value(), "stage 2: hole");
            expect(space.ram_at(Gpa{0x4120'2ff8}, 8) == block->window + 0x120'2ff8 &&
                       space.ram_at(Gpa{0x4120'1000}, 8) == nullptr && space.ram_at(Gpa{0x4120'2ffc}, 8) == nullptr,
                   "stage 2: the host's view");
            space.clean_to_guest(*block, 0x1000, 0x12345);
            space.unmap(range);
            expect(!translate(space, 0x4000'0000), "stage 2: unmap");
            space.free_ram(*block);
        }
        const auto device = *GpaRange::make(Gpa{0x0900'0000}, kPageBytes);
        expect(space.map_device(device, host_.platform().uart.registers->base()).has_value(), "stage 2: device");
        expect(space.ram_at(Gpa{0x0900'0000}, 4) == nullptr, "stage 2: a device is not RAM");
        space.unmap(device);
        expect(before == host_.pages().free_bytes(), "stage 2: memory was lost");
    }

    /// What the hardware makes of a guest-physical address, with stage 1 off.
    template <class At>
    std::optional<u64> translated(const GuestSpace &space, u64 gpa, At &&at) {
        constexpr u64 kVm = 1;
        constexpr u64 kAarch64 = u64{1} << 31;
        SEL4VM_WRITE_SYSREG(sctlr_el1, 0x30d0'0800);
        SEL4VM_WRITE_SYSREG(vtcr_el2, space.translation_control());
        SEL4VM_WRITE_SYSREG(vttbr_el2, space.translation_base());
        SEL4VM_WRITE_SYSREG(hcr_el2, kVm | kAarch64);
        isb();
        at(gpa);
        isb();
        const u64 par = SEL4VM_READ_SYSREG(par_el1);
        SEL4VM_WRITE_SYSREG(hcr_el2, kAarch64);
        SEL4VM_WRITE_SYSREG(vttbr_el2, 0);
        isb();
        if ((par & 1) != 0)
            return std::nullopt;
        return (par & 0x0000'ffff'ffff'f000) | (gpa & 0xfff);
    }
    std::optional<u64> translate(const GuestSpace &space, u64 gpa) {
        return translated(space, gpa, [](u64 at) { asm volatile("at s12e1r, %0" ::"r"(at) : "memory"); });
    }
    std::optional<u64> translate_write(const GuestSpace &space, u64 gpa) {
        return translated(space, gpa, [](u64 at) { asm volatile("at s12e1w, %0" ::"r"(at) : "memory"); });
    }

    void interrupts() {
        struct Counter final : IrqHandler {
            unsigned count = 0;
            void on_irq(u32) override {
                SEL4VM_WRITE_SYSREG(cnthp_ctl_el2, 2); // mask
                ++count;
            }
        } counter;
        const u32 timer = host_.platform().timer.hypervisor;
        host_.interrupts().attach({timer, IrqTrigger::level}, counter);
        for (unsigned round = 1; round <= 2; ++round) {
            SEL4VM_WRITE_SYSREG(cnthp_cval_el2, host_.clock().now_ticks() + host_.clock().ticks_per_second() / 1000);
            SEL4VM_WRITE_SYSREG(cnthp_ctl_el2, 1);
            isb();
            take_one(timer);
            expect(counter.count == round, "gic: the timer's interrupt was lost");
        }
        expect(!host_.gic().is_active(timer), "gic: still active after deactivation");
        host_.gic().disable(timer);
        expect(!host_.gic().is_enabled(timer), "gic: still enabled");

        struct Nothing final : IrqHandler {
            unsigned count = 0;
            void on_irq(u32) override { ++count; }
        } sgi;
        host_.interrupts().attach({3, IrqTrigger::edge}, sgi);
        host_.gic().send_sgi(3);
        take_one(3);
        expect(sgi.count == 1, "gic: an SGI to itself was lost");
        expect(host_.gic().take().spurious(), "gic: an interrupt nobody sent");
    }
    void take_one(u32 intid) {
        // Routed to EL2 while masked: wfi wakes, and the acknowledge finds it.
        SEL4VM_WRITE_SYSREG(hcr_el2, u64{1} << 31 | u64{1} << 4);
        asm volatile("wfi" ::: "memory");
        const IrqToken token = host_.gic().take();
        expect(token.intid() == intid, "gic: another interrupt");
        expect(host_.gic().is_active(intid) || intid < 16, "gic: not active between priority drop and deactivation");
        host_.interrupts().dispatch(token);
    }

    void services() {
        if (auto now = host_.clock().wall_clock_seconds(); now)
            fact("wall clock ", *now);
        std::array<u8, 16> random{};
        if (host_.entropy().fill(random)) {
            Text<64> text;
            for (const u8 byte : random)
                text << "0123456789abcdef"[byte / 16] << "0123456789abcdef"[byte % 16];
            fact("entropy ", text.view());
            expect(std::count(random.begin(), random.end(), 0) < 8, "entropy: zeros");
        } else {
            say("no entropy");
        }
        expect(host_.clock().ticks_per_second() > 0, "clock: no frequency");
    }

    Host &host_;
    unsigned failures_ = 0;
};

/// Counts announcements of input.
class Announcements final : public EventPort {
public:
    void resume_and_wait(Answer, Event &) override {}
    void apply(Answer) override {}
    void set_timeout(u64) override {}
    void cancel_timeout() override {}
    void signal(u64) override { ++count; }
    u64 count = 0;
};

int read_input(Host &host) {
    Announcements announcements;
    host.console().listen(host.interrupts(), announcements, 1);
    u64 bytes = 0;
    u64 sum = 0;
    SEL4VM_WRITE_SYSREG(hcr_el2, u64{1} << 31 | u64{1} << 4); // interrupts are EL2's: they wake it
    isb();
    for (;;) {
        asm volatile("wfi" ::: "memory");
        const IrqToken token = host.gic().take();
        if (token.spurious())
            continue;
        host.interrupts().dispatch(token);
        std::array<u8, 3> some{};
        usize got = some.size();
        while (got == some.size()) {
            got = host.console().read(some);
            for (usize i = 0; i < got; ++i) {
                ++bytes;
                sum = sum * 31 + some[i];
                if (some[i] == '.') {
                    Text<120> text;
                    text << "input of " << bytes << " bytes, hash " << Hex{sum}
                         << (announcements.count > 0 ? ", announced" : "");
                    host.log().line(LogLevel::info, "selftest", text.view());
                    return 0;
                }
            }
        }
    }
}

/// What an application adds to a panic; with `report-badly` it panics itself.
class LastWords final : public PanicPrinter::Report {
public:
    explicit LastWords(Host &host) : host_(host) {}
    void print(PanicPrinter &printer) override {
        printer.print("  selftest: last words\n");
        if (host_.has_bootarg("report-badly"))
            SEL4VM_PANIC("inside a panic");
    }

private:
    Host &host_;
};

__attribute__((noinline)) u64 overflow(u64 depth) {
    volatile u64 frame[64] = {};
    frame[depth % 64] = depth;
    return depth == ~u64{0} ? 0 : overflow(depth + 1) + frame[0];
}

/// What every CPU but the first does.
class Ending final : public SecondaryCpu::Work {
public:
    explicit Ending(Host &host) : host_(host) {}
    void run_on(SecondaryCpu &) override {
        if (host_.has_bootarg("overflow"))
            (void)overflow(0);
        SEL4VM_PANIC("on another CPU");
    }

private:
    Host &host_;
};

/// All other CPUs panic at once; this one, too, when asked.
int panic_on_others(Host &host) {
    FixedVector<Owned<SecondaryCpu>, PlatformInfo::kMaxCpus> others;
    const u64 own = affinity_of_this_cpu();
    for (const u64 affinity : host.platform().cpus) {
        if (affinity == own)
            continue;
        auto cpu = Owned<SecondaryCpu>::make(host.heap(), host, affinity, ProcessorSetup::of(host.platform()));
        if (!cpu || !cpu->start())
            return 1;
        (void)others.emplace_back(std::move(cpu));
    }
    Ending ending(host);
    for (const auto &cpu : others)
        cpu->begin(ending);
    if (host.has_bootarg("panic"))
        SEL4VM_PANIC("on purpose");
    for (const auto &cpu : others)
        cpu->wait_until_done();
    return 1;
}

} // namespace

int app_main(Host &host) {
    LastWords words(host);
    host.set_panic_report(&words);
    if (host.has_bootarg("others"))
        return panic_on_others(host);
    if (host.has_bootarg("panic"))
        SEL4VM_PANIC("on purpose");
    if (host.has_bootarg("fault"))
        *reinterpret_cast<volatile u32 *>(0x1234'5678) = 1;
    if (host.has_bootarg("overflow"))
        return static_cast<int>(overflow(0));
    if (host.has_bootarg("write-code"))
        *const_cast<volatile char *>(__image_start) = 0;
    if (host.has_bootarg("input"))
        return read_input(host);
    return SelfTest(host).run();
}

} // namespace sel4vm::el2
