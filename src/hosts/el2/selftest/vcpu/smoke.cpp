// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/el2/selftest/vcpu/smoke.hpp>

#include <hosts/el2/lib/sysreg.hpp>
#include <hosts/el2/vcpu/exit_decoding.hpp>

#include <sel4vm/arch/aarch64/affinity.hpp>
#include <sel4vm/arch/aarch64/hypercall.hpp>
#include <sel4vm/arch/aarch64/irq_service.hpp>
#include <sel4vm/arch/aarch64/sysreg.hpp>

extern "C" const sel4vm::u8 el2_smoke_guest[];
extern "C" const sel4vm::u8 el2_smoke_guest_end[];

namespace sel4vm::el2_smoke {

namespace {

constexpr u64 kRam = 0x4000'0000;
constexpr u64 kDevice = 0x0a00'0000;
constexpr u64 kPattern = 0x8182'8384'8586'8788;

} // namespace

void load_guest(volatile u8 *ram) {
    for (const u8 *at = el2_smoke_guest; at != el2_smoke_guest_end; ++at)
        *ram++ = *at;
}

bool Smoke::run(const Space (&spaces)[3]) {
    // vCPU 0 is tested; 1 spins with everything masked; 2 yields; 3 and 4, in one VM, sleep; 5 has lost its tables.
    constexpr u64 kPart[kVcpus] = {0, 1, 2, 3, 3, 4};
    constexpr unsigned kSpace[kVcpus] = {0, 1, 1, 2, 2, 1};
    const u64 version = processor_.gic_versions().v3 ? 3 : 2;
    for (u16 i = 0; i < kVcpus; ++i) {
        const el2::VcpuSetup setup{VmId{static_cast<u16>(kSpace[i])}, VcpuId{i}, aarch64::affinity_of_vcpu(i), 0};
        el2::Vcpu *vcpu = vcpus_.emplace_back(processor_, *spaces[kSpace[i]].stage2, shares_[kSpace[i]], setup);
        SEL4VM_ASSERT(vcpu != nullptr);
        vcpu->reset({kRam, kPart[i] | version << 32});
    }
    since_ = el2::now_ticks();
    vcpus_[0].resume();
    Answer answer = Answer::none();
    Event event;
    while (!done_) {
        processor_.resume_and_wait(answer, event);
        answer = Answer::none();
        switch (event.kind) {
        case EventKind::exit: answer = on_exit(event); break;
        case EventKind::notification: break;
        case EventKind::timeout:
            fail("the other vCPUs made too little progress", told_[60], told_[63]);
            done_ = true;
            break;
        case EventKind::turn:
        case EventKind::idle:
            fail("idle", 0, 0);
            done_ = true;
            break;
        }
    }
    check_writes();
    check_times();
    Text<160> text;
    text << "spinner " << told_[60] << " rounds, yielder " << told_[62] << ", sleepers woken " << told_[63]
         << ", switches " << processor_.counters().vcpu_switches << ", simd switches "
         << processor_.counters().fp_switches << ", idle " << processor_.counters().idle_waits;
    output_.line(text.view());
    return ok_;
}

Answer Smoke::on_exit(const Event &event) {
    el2::Vcpu &vcpu = vcpus_[event.vcpu.value()];
    const Exit &exit = event.exit;
    switch (exit.kind) {
    case ExitKind::memory: return on_memory(exit.memory);
    case ExitKind::hypercall:
        if (aarch64::conduit_of(exit.hypercall) == aarch64::Conduit::smc) {
            vcpu.set_general_register(0, 0x5c);
            return Answer::complete();
        }
        return on_call(vcpu, aarch64::immediate_of(exit.hypercall));
    case ExitKind::wait: return Answer::complete().then(Next::block);
    case ExitKind::irq_service:
        if (exit.irq_service.source == aarch64::irq_service(aarch64::IrqService::virtual_timer).source)
            return on_timer(vcpu);
        if (vcpu.list_registers().take_finished() != 0)
            vcpu.timer().unmask();
        return Answer::go_on();
    case ExitKind::system_register: {
        if (exit.system_register.id == aarch64::sysreg::kCntpctEl0)
            return Answer::complete(0x1234);
        if (const auto value = vcpu.system_register(exit.system_register.id); value && !exit.system_register.write)
            return Answer::complete(*value);
        return Answer::inject(GuestFault::instruction);
    }
    case ExitKind::undefined: return Answer::inject(GuestFault::instruction);
    case ExitKind::kicked: return Answer::go_on();
    case ExitKind::port:
    case ExitKind::debug:
    case ExitKind::unknown: break;
    }
    fail("unexpected exit", static_cast<u64>(exit.kind), vcpu.program_counter());
    done_ = true;
    return Answer::retry().then(Next::stop);
}

Answer Smoke::on_memory(const MemoryExit &memory) {
    const u64 offset = memory.gpa.value() - kDevice;
    if (memory.access == MemoryAccess::fetch || !memory.emulatable || offset >= kPageBytes)
        return Answer::inject(GuestFault::access);
    if (memory.access == MemoryAccess::read)
        return Answer::complete(kPattern + offset);
    if (offset >= 0x10)
        static_cast<void>(writes_.emplace_back(Write{offset, memory.data, bytes_of(memory.width)}));
    return Answer::complete();
}

Answer Smoke::on_call(el2::Vcpu &vcpu, u16 number) {
    switch (number) {
    case 1:
        if (vcpu.general_register(0) == 2) {
            finished_ = true;
            look_for_the_end();
            return Answer::complete().then(Next::stop);
        }
        on_told(vcpu.general_register(1), vcpu.general_register(2));
        look_for_the_end();
        return Answer::complete();
    case 3: vcpu.set_simd_register(5, 1, vcpu.simd_register(5, 1)); return Answer::complete();
    case 4:
        others_since_ = el2::now_ticks();
        for (usize i = 1; i < vcpus_.size(); ++i)
            vcpus_[i].resume();
        others_started_ = true;
        processor_.set_timeout(SEL4VM_READ_SYSREG(cntpct_el0) + 300 * SEL4VM_READ_SYSREG(cntfrq_el0));
        return Answer::complete();
    default: return Answer::complete();
    }
}

// Each of the vCPUs beside the tested one must get its share; how soon depends on how busy the PC is.
void Smoke::look_for_the_end() { done_ = done_ || (finished_ && told_[60] >= 3 && told_[62] >= 2 && told_[63] >= 20); }

Answer Smoke::on_timer(el2::Vcpu &vcpu) {
    aarch64::ListRegister lr;
    lr.state = aarch64::ListRegisterState::pending;
    lr.priority = 0x80;
    lr.group1 = processor_.gic_versions().v3;
    lr.intid = 27;
    lr.eoi_maintenance = true;
    if (!vcpu.list_registers().write(0, lr))
        fail("list register", 0, 0);
    return Answer::go_on();
}

void Smoke::on_told(u64 id, u64 value) {
    if (id >= 128)
        return fail("told id", id, 0);
    ++told_[id];
    last_[id] = value;
    if (id >= 100) {
        constexpr std::string_view kNames[] = {"hypercall",        "mmio read w0", "mmio write w0", "mmio read x28",
                                               "id register read", "mmio ldp",     "empty loop"};
        Text<80> text;
        text << "cost of " << kNames[id - 100] << ": " << value * 16 / 4096 << " instructions under icount";
        output_.line(text.view());
        return;
    }
    expect(id, value, 0);
}

// ESR_EL1 values: class, IL, syndrome of the access.
void Smoke::expect(u64 id, u64 value, u64 wanted) {
    switch (id) {
    case 1: wanted = kPattern + 8; break;
    case 2: wanted = 0x8586'878c; break;
    case 3: wanted = ~u64{0} << 8 | 0x89; break;
    case 4: wanted = 0xffff'878a; break;
    case 5: wanted = 0x8b; break;
    case 10: wanted = kPattern + 0x20; break;
    case 11: wanted = kPattern + 0x28; break;
    case 12: wanted = 0x8586'8788; break;
    case 13: wanted = 4; break;
    case 14: wanted = kPattern + 0x40; break;
    case 15: wanted = kPattern + 0x48; break;
    case 16: wanted = 0xffff'ffff'8586'8788; break;
    case 17: wanted = 0xffff'ffff'8586'878c; break;
    case 20: wanted = value; break; // which syndrome bits follow is the architecture layer's test
    case 21: wanted = 0x0b00'0018; break;
    case 22: wanted = (value & 0xf000'0000) | 0x3c5; break;
    case 23:
    case 24: wanted = 0x0200'0000; break;
    case 25: wanted = value; break;
    case 26: wanted = value; break;
    case 27: wanted = 0x0b00'0000; break;
    case 28: wanted = 0x8000'0000; break;
    case 29: wanted = 0x1234; break;
    case 31: wanted = 0x5c; break;
    case 32: wanted = 0x4600'0000; break;
    case 34: wanted = 0xffff'ff89; break;
    case 35: wanted = 0x8586'878c; break;
    case 51: wanted = 20; break;
    case 52: wanted = 60; break;
    case 60:
    case 62:
    case 63: return;
    default: break;
    }
    const u64 ec = value >> 26;
    if (((id == 20 || id == 25) && ec != 0x25) || (id == 26 && ec != 0x21))
        wanted = 0;
    if (value != wanted) {
        Text<40> what;
        what << "id " << id;
        fail(what.view(), value, wanted);
    }
}

void Smoke::check_writes() {
    constexpr Write kWanted[] = {
        {0x10, 0x22, 1}, {0x12, 0x1122, 2}, {0x14, 0x3344'1122, 4}, {0x18, 0x3344'1122, 8},
        {0x20, 0, 8},    {0x30, 5, 8},      {0x38, 6, 8},           {0x48, 0x3ff0'0000'0000'0000, 8},
    };
    if (writes_.size() != std::size(kWanted))
        return fail("number of writes", writes_.size(), std::size(kWanted));
    for (usize i = 0; i < writes_.size(); ++i) {
        if (writes_[i].offset != kWanted[i].offset || writes_[i].bytes != kWanted[i].bytes)
            fail("offset of a write", writes_[i].offset, kWanted[i].offset);
        if (writes_[i].data != kWanted[i].data)
            fail("data of a write", writes_[i].data, kWanted[i].data);
    }
}

// One CPU: what runs, and what waits for it, can be no more than the time that there was.
void Smoke::check_times() {
    VcpuTimes all[kVcpus];
    for (usize i = 0; i < vcpus_.size(); ++i)
        all[i] = *vcpus_[i].times();
    const u64 now = el2::now_ticks();
    const u64 since_start = now - since_;
    const u64 since_others = now - others_since_;
    u64 running = 0;
    for (usize i = 0; i < vcpus_.size(); ++i) {
        const VcpuTimes &times = all[i];
        running += times.running_ticks;
        const u64 sum = times.running_ticks + times.waiting_ticks + times.stolen_ticks;
        if (times.running_ticks == 0 || sum > (i == 0 ? since_start : since_others))
            fail("times of a vCPU", sum, since_others);
        const bool sleeps = i == 3 || i == 4;
        if (i != 0 && (times.waiting_ticks != 0) != sleeps)
            fail("waiting", i, times.waiting_ticks);
        // The spinner never leaves by itself, so all that it did not get was stolen.
        if (i == 1 && times.stolen_ticks < times.running_ticks)
            fail("stolen", times.stolen_ticks, times.running_ticks);
    }
    if (running > since_start)
        fail("running", running, since_start);
}

void Smoke::fail(std::string_view what, u64 value, u64 wanted) {
    ok_ = false;
    Text<160> text;
    text << "FAIL " << what << ": " << Hex{value} << ", expected " << Hex{wanted};
    output_.line(text.view());
}

} // namespace sel4vm::el2_smoke
