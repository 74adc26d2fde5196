// SPDX-License-Identifier: BSD-2-Clause
//
// What a host reports when a vCPU leaves its guest, and what the core answers. Plain data: an exit can be recorded,
// compared and replayed. One memory exit is one simple access of at most 8 bytes; a host whose guest executed a wider
// or compound access (pair, SIMD, atomic, `dc zva`) delivers its parts as consecutive exits, keeps what was read, and
// commits registers and PC only after the last part succeeded.
#pragma once

#include <sel4vm/base/assert.hpp>
#include <sel4vm/base/types.hpp>

namespace sel4vm {

/// The size of one access, in bytes.
enum class Width : u8 { b1 = 1, b2 = 2, b4 = 4, b8 = 8 };
[[nodiscard]] constexpr unsigned bytes_of(Width width) { return static_cast<unsigned>(width); }
[[nodiscard]] constexpr u64 mask_of(Width width) {
    return ~u64{0} >> (-(8 * bytes_of(width)) & 63); // 64 less that, in an instruction less
}
static_assert(mask_of(Width::b1) == 0xff && mask_of(Width::b8) == ~u64{0});

enum class MemoryAccess : u8 { read, write, fetch };

/// A guest access that translation did not allow.
struct MemoryExit {
    Gpa gpa;
    u64 data;            ///< for a write, the value in the low bytes, the rest zero
    MemoryAccess access; ///< fetch: an instruction fetch; width is then b4
    Width width;
    bool emulatable; ///< false: the host could not tell what was accessed (only gpa is valid, and access may be read)
    /// The guest's own translation tables: a walk could not read the entry at gpa, or, with access write, not update it (access
    /// flag, dirty state). emulatable is then false.
    bool table_walk = false;
};

/// A trapped system register access. `id` is the architecture's own packing (AArch64: see arch/aarch64/sysreg.hpp).
struct SystemRegisterExit {
    u32 id;
    bool write;
    u64 data; ///< for a write
};

/// A hypercall. Arguments and results travel in general registers through VcpuPort.
struct HypercallExit {
    u32 function; ///< which service, as the architecture's calling convention numbers them
    u32 origin;   ///< by which instruction, the architecture's own number (AArch64: arch/aarch64/hypercall.hpp)
};

/// The guest waits. `event`: any event may end the wait, yielding is enough (WFE, PAUSE); otherwise an interrupt must.
struct WaitExit {
    bool event;
};

/// An access to an I/O port, on architectures that have some. A string instruction comes as one exit for each of its accesses.
struct PortExit {
    u16 port;
    Width width; ///< not b8
    bool write;
    u32 data; ///< for a write, the value in the low bytes, the rest zero
};

/// Interrupt hardware that the VMM shares with the guest needs service.
struct IrqServiceExit {
    u32 source; ///< the architecture's own number (AArch64: arch/aarch64/irq_service.hpp)
};

/// A trap the host knows by number only.
struct UnknownExit {
    u32 reason; ///< AArch64: ESR_EL2.EC
    u64 syndrome;
};

enum class ExitKind : u8 {
    kicked,          ///< no guest action: VcpuPort::kick() was called
    memory,          ///< MemoryExit
    system_register, ///< SystemRegisterExit
    hypercall,       ///< HypercallExit
    wait,            ///< WaitExit
    irq_service,     ///< IrqServiceExit
    port,            ///< PortExit
    undefined,       ///< an instruction that this host traps and nobody emulates
    debug,           ///< a breakpoint, watchpoint or step routed to the host
    unknown,         ///< UnknownExit
};

inline constexpr usize kExitKinds = static_cast<usize>(ExitKind::unknown) + 1;
[[nodiscard]] constexpr const char *to_string(ExitKind kind) {
    constexpr const char *kNames[kExitKinds] = {"kicked",      "memory", "system_register", "hypercall", "wait",
                                                "irq_service", "port",   "undefined",       "debug",     "unknown"};
    return kNames[static_cast<usize>(kind)];
}

struct Exit {
    ExitKind kind = ExitKind::kicked;
    union {
        MemoryExit memory;
        SystemRegisterExit system_register;
        HypercallExit hypercall;
        WaitExit wait;
        IrqServiceExit irq_service;
        PortExit port;
        UnknownExit unknown;
    };
    constexpr Exit() : unknown{0, 0} {}
    constexpr explicit Exit(ExitKind plain) : kind(plain), unknown{0, 0} {}
    constexpr explicit Exit(MemoryExit e) : kind(ExitKind::memory), memory(e) {}
    constexpr explicit Exit(SystemRegisterExit e) : kind(ExitKind::system_register), system_register(e) {}
    constexpr explicit Exit(HypercallExit e) : kind(ExitKind::hypercall), hypercall(e) {}
    constexpr explicit Exit(WaitExit e) : kind(ExitKind::wait), wait(e) {}
    constexpr explicit Exit(IrqServiceExit e) : kind(ExitKind::irq_service), irq_service(e) {}
    constexpr explicit Exit(PortExit e) : kind(ExitKind::port), port(e) {}
    constexpr explicit Exit(UnknownExit e) : kind(ExitKind::unknown), unknown(e) {}
};

/// What the core refuses. The architecture's part of the host makes of it the exception that its hardware raises.
enum class GuestFault : u8 {
    access,      ///< nothing answers the memory access of this exit (AArch64: synchronous external abort)
    instruction, ///< there is no such instruction or register (AArch64: undefined)
};

/// The core's answer to the last event; the host applies it before it resumes anything.
enum class AnswerKind : u8 {
    none,     ///< the event was not about a vCPU
    go_on,    ///< no instruction caused the exit (an interrupt, a kick), so that there is none to finish
    complete, ///< emulated: `data` is the result of a read; the host finishes the instruction and advances PC
    retry,    ///< change nothing: execute the same instruction again, a call like any other
    inject,   ///< raise `fault` in the guest
};

/// What the vCPU does after the answer was applied.
enum class Next : u8 {
    run,   ///< execute the guest
    block, ///< wait for an interrupt: not run until VcpuPort::kick() or its virtual timer fires
    stop,  ///< not run until VcpuPort::resume(); kick() does not end it
};

/// Two words on purpose, so that every function on the way from a handler to the host returns it in registers.
class Answer {
public:
    constexpr Answer() = default;
    static constexpr Answer none() { return {}; }
    static constexpr Answer go_on() { return {control_of(AnswerKind::go_on), 0}; }
    static constexpr Answer complete(u64 data = 0) { return {control_of(AnswerKind::complete), data}; }
    static constexpr Answer retry() { return {control_of(AnswerKind::retry), 0}; }
    static constexpr Answer inject(GuestFault fault) {
        return {control_of(AnswerKind::inject) | static_cast<u64>(fault) << kFaultShift, 0};
    }
    [[nodiscard]] constexpr Answer then(Next what) const {
        return {(control() & ~kNextMask) | static_cast<u64>(what) << kNextShift, data()};
    }

    [[nodiscard]] constexpr AnswerKind kind() const { return static_cast<AnswerKind>(control() & kKindMask); }
    [[nodiscard]] constexpr Next next() const { return static_cast<Next>((control() & kNextMask) >> kNextShift); }
    /// Of an answer that injects.
    [[nodiscard]] constexpr GuestFault fault() const { return static_cast<GuestFault>(control() >> kFaultShift); }
    /// Of one that completes a read.
    [[nodiscard]] constexpr u64 data() const { return static_cast<u64>(words_ >> 64); }

    friend constexpr bool operator==(const Answer &, const Answer &) = default;

private:
    // Fields of their own would be taken apart and put together again at every return, and two words would be laid out on the stack.
    __extension__ using Words = unsigned __int128; // the data, and below it what to do
    static constexpr u64 kKindMask = 0xff;
    static constexpr unsigned kNextShift = 8;
    static constexpr u64 kNextMask = u64{0xff} << kNextShift;
    static constexpr unsigned kFaultShift = 16;

    constexpr Answer(u64 control, u64 data) : words_(control | static_cast<Words>(data) << 64) {}
    static constexpr u64 control_of(AnswerKind kind) { return static_cast<u64>(kind); }

    [[nodiscard]] constexpr u64 control() const { return static_cast<u64>(words_); }

    Words words_ = 0; // nothing, and run
};
static_assert(Answer{}.kind() == AnswerKind::none && Answer{}.next() == Next::run);

} // namespace sel4vm
