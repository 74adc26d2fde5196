// SPDX-License-Identifier: BSD-2-Clause
//
// What a program needs from a host beyond the ports: the objects behind one vm_t of the C interface, or behind one guest of a C++
// program (program/). Each host implements it under hosts/<x>/capi, and is chosen by linking. The C functions hold all
// semantics; a binding only makes, maps and frees what the client's vka, simple, vspace and io_ops give.
//
// Threads: as the C interface: everything about one vm_t from one thread, except where a port says otherwise.
#pragma once

#include <sel4vm/arch/aarch64/ports/list_register_port.hpp>
#include <sel4vm/arch/aarch64/ports/timer_port.hpp>
#include <sel4vm/base/allocator.hpp>
#include <sel4vm/base/range.hpp>
#include <sel4vm/host/event_port.hpp>
#include <sel4vm/host/exit.hpp>
#include <sel4vm/host/guest_space_port.hpp>
#include <sel4vm/host/services.hpp>
#include <sel4vm/host/vcpu_port.hpp>

#include <sel4vm/boot.h>
#include <sel4vm/guest_memory.h>
#include <sel4vm/guest_vm.h>

#include <array>
#include <optional>

namespace sel4vm::capi {

/// The words of a seL4_UserContext.
using UserContextArray = std::array<u64, sizeof(seL4_UserContext) / sizeof(seL4_Word)>;

/// A vCPU's registers in the order of seL4_UserContext, all at once: for hosts where reading them one by one is a system call each.
/// Others have no such port, and lose nothing by it.
class ContextPort {
public:
    /// When registers may be touched (VcpuPort). Always the same array; calls on this vCPU keep it up to date until its exit is answered.
    [[nodiscard]] virtual const UserContextArray &context() = 0;
    /// Sets one word, which goes to the host with the answer; false when the host cannot.
    [[nodiscard]] virtual bool set_context_word(usize index, u64 value) = 0;
    /// Sets the first `count` words, a multiple of 4.
    virtual void set_context(const seL4_UserContext &context, usize count) = 0;

protected:
    ~ContextPort() = default;
};

/// The ports of one vCPU; they live until destroy_vcpu().
struct VcpuPorts {
    VcpuPort *vcpu = nullptr;
    aarch64::ListRegisterPort *list_registers = nullptr;
    aarch64::TimerPort *timer = nullptr;
    ContextPort *context = nullptr; ///< where there is a quicker way to all registers than one by one
};

/// Which interrupt controller the hardware can virtualize, and where this host's guests have it unless the client says
/// otherwise.
struct GicSupport {
    bool v2 = false;
    bool v3 = false;
    Gpa distributor{0x0800'0000};
    Gpa cpu_interface_at{0x0801'0000};                    ///< GICv2
    Gpa redistributors{0x080a'0000};                      ///< GICv3
    std::optional<HostPhys> cpu_interface = std::nullopt; ///< GICv2: the hardware's GICV, mapped through
    /// GICv2: the interrupt controller takes the page of GICC_DIR over, since list registers can be rewritten.
    bool own_deactivation = false;
    u64 cpu_interface_cap = 0; ///< seL4: its frames are found through simple; unused elsewhere
};

/// The client's page provider: memory_map_iterator_fn and its cookie.
struct FrameSource {
    memory_map_iterator_fn next = nullptr;
    void *cookie = nullptr;
};

/// What the client chose when it made the VM (vm_options_t).
struct BindingOptions {
    u64 first_badge = 0; ///< seL4: of the vCPUs on the endpoint; 0 is the host's choice
    std::optional<vm_timeout_source_t> timeout_source = std::nullopt; ///< for hosts without timers of their own
    std::optional<vm_lock_t> lock = std::nullopt; ///< for what the client calls without the C interface between
};

class Binding {
public:
    // -- services. Allocator, clock and events outlive every binding that shares the endpoint; the others live as long as
    // the binding.
    [[nodiscard]] virtual Allocator &allocator() = 0;
    [[nodiscard]] virtual Log &log() = 0;
    [[nodiscard]] virtual Clock &clock() = 0;
    [[nodiscard]] virtual Entropy &entropy() = 0;
    /// The VM's second-stage address space. RAM of the library's own comes from its allocate_ram().
    [[nodiscard]] virtual GuestSpacePort &space() = 0;
    /// The endpoint of this VM, shared with `peer` of open_binding() when there was one.
    [[nodiscard]] virtual EventPort &events() = 0;
    [[nodiscard]] virtual GicSupport gic() = 0;
    /// The instruction by which guests call their firmware and that always reaches the VMM.
    [[nodiscard]] virtual Conduit firmware_conduit() = 0;

    // -- vCPUs
    /// Makes the objects of a vCPU and fills `vcpu.vcpu` and `vcpu.tcb`. Events name it by `vm` and `id`. HostErrorKind::invalid:
    /// the host gives one VM no more than CONFIG_MAX_NUM_NODES, and this is another.
    [[nodiscard]] virtual Result<VcpuPorts, HostError> create_vcpu(vm_vcpu_t &vcpu, VmId vm, VcpuId id,
                                                                   int priority) = 0;
    /// Whatever it is doing, it never runs again; its ports are gone.
    virtual void destroy_vcpu(vm_vcpu_t &vcpu) = 0;
    /// Binds a vCPU that was not started to a CPU of the machine.
    [[nodiscard]] virtual Status<HostError> assign_target(vm_vcpu_t &vcpu, int target_cpu) = 0;

    // -- memory of the client's own
    /// Takes the frames that `frames` yields for [at, at + size) as RAM: one block with one window over all of them. The
    /// block is mapped by GuestSpacePort::map_ram and given back by free_ram, which leaves the client's frames alone.
    [[nodiscard]] virtual Result<RamBlock, HostError> adopt_ram(Gpa at, u64 size_bytes, const FrameSource &frames) = 0;
    /// RAM whose physical addresses begin at `phys`, for one-to-one mapped guests; in the largest frames there are.
    [[nodiscard]] virtual Result<RamBlock, HostError> allocate_ram_at(HostPhys phys, u64 size_bytes,
                                                                      Clearing clearing) = 0;
    /// Maps one frame of the client (RAM or device) for the guest, without a window.
    [[nodiscard]] virtual Status<HostError> map_frame(Gpa at, const vm_frame_t &frame) = 0;
    /// Undoes map_frame(); frames that are not mapped are skipped.
    virtual void unmap_frames(GpaRange at) = 0;
    /// The physical address behind [at, at + size), when it is mapped and contiguous.
    [[nodiscard]] virtual Result<HostPhys, HostError> translate(Gpa at, u64 size_bytes) = 0;

    // -- the rest
    /// Every mapping made from now on is mirrored into this IOMMU domain. not_available where there is none.
    [[nodiscard]] virtual Status<HostError> add_iospace(vspace_t &loader, seL4_CPtr iospace) = 0;

protected:
    ~Binding() = default;
};

/// Opens what `vm` needs from the handles that vm_init stored in it (vka, simple, mem.vmm_vspace, io_ops, host_endpoint), and
/// fills mem.vm_vspace, mem.vm_vspace_root and cspace. `peer`: another VM on the same endpoint, or nullptr. From then on until the
/// next wait for an event, code of other libraries may run, which uses registers that may be a guest's.
[[nodiscard]] Result<Binding *, HostError> open_binding(vm_t &vm, Binding *peer, const BindingOptions &options);
/// Frees everything that the binding made; its vCPUs are destroyed and its blocks freed already.
void close_binding(vm_t &vm, Binding &binding);

/// Where messages about calls without a usable vm_t go.
[[nodiscard]] Log &host_log();

} // namespace sel4vm::capi
