// SPDX-License-Identifier: BSD-2-Clause
//
// The library's object behind a vm_vcpu_t: the fault that its client decides about, and the registers it will start with.
// `fault_t` of the C interface is this class.
#pragma once

#include <sel4vm/capi/binding.hpp>
#include <sel4vm/capi/user_context.hpp>
#include <sel4vm/vm/fault_policy.hpp>
#include <sel4vm/vm/vcpu.hpp>

#include <optional>

namespace sel4vm::capi {

class Machine;

/// What a client's callback is called through: a reservation's or the unhandled-fault one.
struct MemoryCallback {
    memory_fault_callback_fn function = nullptr;
    void *cookie = nullptr;
};

class GuestVcpu {
public:
    GuestVcpu(vm_vcpu_t &c, Machine &machine) : c_(c), machine_(machine) {}
    GuestVcpu(const GuestVcpu &) = delete;
    GuestVcpu &operator=(const GuestVcpu &) = delete;

    /// Once the host has made it. `context` may be nullptr.
    void connect(const aarch64::VcpuPorts &ports, ContextPort *context, Vcpu &core) {
        ports_ = ports;
        context_ = context;
        core_ = &core;
    }
    [[nodiscard]] vm_vcpu_t &c() const { return c_; }
    [[nodiscard]] Machine &machine() const { return machine_; }
    [[nodiscard]] Vcpu &core() const { return *core_; }
    [[nodiscard]] VcpuPort &port() const { return core_->port(); }
    [[nodiscard]] const aarch64::VcpuPorts &ports() const { return ports_; }

    // -- faults, from the core
    /// A reservation's callback; an answer of kind none passes the fault on.
    [[nodiscard]] Answer reservation_fault(const MemoryExit &exit, MemoryCallback callback);
    /// Nobody owns the address.
    [[nodiscard]] Answer unowned_fault(const MemoryExit &exit);
    /// Any other mistake of the guest.
    [[nodiscard]] Answer vcpu_fault(Mistake mistake, const Exit &exit);
    /// An SMC that the client's handler serves.
    [[nodiscard]] Answer client_smc(const HypercallExit &exit, smc_handler_callback_fn handler);
    /// The library's own part of it, called from inside that handler. False outside of one.
    [[nodiscard]] bool serve_smc(seL4_UserContext &regs);
    /// Inside that handler.
    [[nodiscard]] bool is_served() const { return smc_ != nullptr; }
    /// Deferred mapping failed.
    [[nodiscard]] Answer mapping_failed(const MemoryExit &exit);

    // -- faults, from the client
    [[nodiscard]] bool has_fault() const { return kind_ != FaultKind::none; }
    [[nodiscard]] u64 fault_address() const;
    [[nodiscard]] u64 fault_data() const { return data_; }
    [[nodiscard]] u64 fault_mask() const { return fault_bytes() == 0 ? 0 : mask_of(memory_->width) << lane_shift(); }
    [[nodiscard]] usize fault_bytes() const {
        return kind_ == FaultKind::memory && memory_->emulatable ? bytes_of(memory_->width) : 0;
    }
    [[nodiscard]] bool fault_is_read() const;
    void set_fault_data(u64 data) {
        data_ = data;
        data_set_ = true;
    }
    [[nodiscard]] u64 emulate(u64 old) const;
    void advance() {
        verdict_ = Verdict::advance;
        if (held_) [[unlikely]]
            decide_later();
    }
    void restart();
    /// Continues what vm_run() returned with; not what waits for the client's word.
    void continue_after_return() {
        if (held_ && !awaits_client_)
            release();
    }

    // -- registers, from the client
    /// Whether they can be touched now.
    [[nodiscard]] bool is_reachable() const;
    [[nodiscard]] u64 context_word(usize index);
    void get_context(seL4_UserContext &context);
    [[nodiscard]] bool set_context_word(usize index, u64 value);
    [[nodiscard]] std::optional<u64> vcpu_register(u64 reg);
    [[nodiscard]] bool set_vcpu_register(u64 reg, u64 value);

    // -- starting
    /// The next entry uses the registers that the client has set.
    void use_start_registers() { start_with_client_ = true; }
    /// It did not come to that.
    void forget_start() { start_with_client_ = false; }
    [[nodiscard]] u64 start_entry() const { return start_.words[UserContextLayout::kPc]; }
    [[nodiscard]] u64 start_argument() const { return start_.words[UserContextLayout::kX0]; }
    /// The core has reset it and is about to let it run.
    void entering();
    /// It is to start together with the boot vCPU.
    [[nodiscard]] bool start_requested() const { return start_requested_; }
    void request_start() { start_requested_ = true; }
    void forget_start_request() { start_requested_ = false; }

private:
    enum class FaultKind : u8 { none, memory, vcpu };
    enum class Verdict : u8 { none, advance, restart };
    /// What the client decided after its callback or vm_run() had returned, for when the instruction faults again. With Next::stop it
    /// has not decided yet.
    struct Decision {
        u64 pc = 0;
        u64 gpa = 0; ///< of a memory fault: one instruction may have several
        FaultKind kind = FaultKind::none;
        Answer answer;
    };
    static constexpr usize kMaxVcpuRegisters = 64;

    void decide_later();
    [[nodiscard]] bool is_on_its_way_back() const;
    void release();
    void remember(Answer answer) { decision_ = Decision{port().program_counter(), fault_address(), kind_, answer}; }
    void keep_fault();
    /// The answer to a fault that the callback has taken but not decided.
    [[nodiscard]] Answer wait_for_client();
    /// The host's, all of them, as they are now and when put_context_word() changes them.
    [[nodiscard]] const UserContextArray &registers();
    [[nodiscard]] bool put_context_word(usize index, u64 value);
    void put_changes(const ChangingContext &context);
    void begin(const MemoryExit &exit) {
        kind_ = FaultKind::memory;
        memory_ = &exit;
        data_ = exit.access == MemoryAccess::write ? exit.data : 0;
        verdict_ = Verdict::none;
        data_set_ = false;
    }
    void begin(const Exit &exit);
    void begin_call(const HypercallExit &exit);
    [[nodiscard]] Answer decide(memory_fault_result_t result, bool last);
    [[nodiscard]] Answer finished() const;
    [[nodiscard]] Answer hold(int exit_reason);
    [[nodiscard]] Answer by_policy(int exit_reason);
    /// With a decision_ only; no value when it was about another instruction.
    [[nodiscard]] std::optional<Answer> take_decision(FaultKind kind, u64 gpa);
    [[nodiscard]] unsigned lane_shift() const { return static_cast<unsigned>(memory_->gpa.value() & 3) * 8; }
    /// Before its start, and while it is off, registers are those it will start with.
    [[nodiscard]] bool is_off() const;
    /// A stopped VM shows how it ended, and may be started again with what is written now.
    [[nodiscard]] bool is_over() const;

    vm_vcpu_t &c_;
    Machine &machine_;
    aarch64::VcpuPorts ports_;
    ContextPort *context_ = nullptr; ///< where the host has one
    Vcpu *core_ = nullptr;

    FaultKind kind_ = FaultKind::none;
    Verdict verdict_ = Verdict::none;
    bool data_set_ = false;
    bool held_ = false; ///< the vCPU waits at this fault: for vm_run(), or for the client
    bool awaits_client_ =
        false; ///< its callback has taken it, and will call advance_vcpu_fault() or restart_vcpu_fault()
    const MemoryExit *memory_ = &kept_; ///< the executor's while a callback runs; copied for what is held
    MemoryExit kept_{};
    Exit exit_; ///< of a vCPU fault
    u32 syndrome_ = 0;
    u64 data_ = 0;
    std::optional<Decision> decision_;
    const HypercallExit *smc_ = nullptr;     ///< while the client's handler runs
    ChangingContext *smc_context_ = nullptr; ///< the same; its registers
    Answer smc_answer_;

    UserContextWords start_;
    UserContextWords read_; ///< on hosts without a ContextPort: what registers() found
    std::array<u64, kMaxVcpuRegisters> start_registers_{};
    u64 start_registers_set_ = 0;
    bool start_with_client_ = false;
    bool start_requested_ = false;
};

} // namespace sel4vm::capi

/// The type that struct vm_vcpu_arch points to.
struct fault final : sel4vm::capi::GuestVcpu {
    using GuestVcpu::GuestVcpu;
};
