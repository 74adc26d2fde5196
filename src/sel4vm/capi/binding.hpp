// SPDX-License-Identifier: BSD-2-Clause
//
// What the C interface wants of a host beyond the resources of a VM (arch/aarch64/ports/guest_resources.hpp): the frames of the client's vka,
// an IOMMU, what vm_t and vm_vcpu_t show of the host's objects, and registers in seL4's order. Each host has it in bindings/<host>, and is
// chosen by linking. The C functions hold all semantics; a binding only makes, maps and frees what the client's vka, simple, vspace and io_ops give.
//
// Threads: as the C interface: everything about one vm_t from one thread, except where a port says otherwise.
#pragma once

#include <sel4vm/arch/aarch64/ports/guest_resources.hpp>
#include <sel4vm/base/range.hpp>

#include <sel4vm/boot.h>
#include <sel4vm/guest_memory.h>
#include <sel4vm/guest_vm.h>

#include <array>
#include <optional>

namespace sel4vm::capi {

/// The words of a seL4_UserContext.
using UserContextArray = std::array<u64, sizeof(seL4_UserContext) / sizeof(seL4_Word)>;

/// A vCPU's registers in the order of seL4_UserContext, all at once: for hosts where that is quicker than one by one.
class ContextPort {
public:
    /// When registers may be touched (VcpuPort). Always the same array; it is as of now until the next call, and what is set here is seen in it
    /// at once.
    [[nodiscard]] virtual const UserContextArray &context() = 0;
    /// Sets one word; false when the host cannot.
    [[nodiscard]] virtual bool set_context_word(usize index, u64 value) = 0;
    /// Sets the first `count` words, a multiple of 4.
    virtual void set_context(const seL4_UserContext &context, usize count) = 0;

protected:
    ~ContextPort() = default;
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
    /// What the VM itself is made of; it lives as long as the binding.
    [[nodiscard]] virtual aarch64::GuestResources &resources() = 0;

    // -- vCPUs that resources() has made
    /// Fills `vcpu.vcpu` and `vcpu.tcb`, where the host has such objects.
    virtual void show_vcpu(VcpuId, vm_vcpu_t &) {}
    /// Where there is a quicker way to all registers than one by one, else nullptr. Once for each vCPU; it lives as the vCPU's ports do.
    [[nodiscard]] virtual ContextPort *context(VcpuId) { return nullptr; }

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
