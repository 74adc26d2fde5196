// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/program/guest.hpp>

#include <sel4vm/machine/shared_places.hpp>
#include <sel4vm/machine/validate.hpp>
#include <sel4vm/program/host.hpp>

namespace sel4vm::program {

using machine::build_error;
using machine::BuildError;

namespace {

constexpr std::string_view kNoMemory = "the host has not enough memory left";

BuildError limit_error(std::string_view key, std::string_view before, u64 limit, std::string_view after) {
    BuildError error;
    error.key << key;
    error.message << before << limit << after;
    return error;
}

} // namespace

Guest::~Guest() {
    if (added_)
        host_.forget(*this);
    objects_.destroy_vcpus();
    machine_.reset();
    if (console_ != nullptr)
        host_.consoles_.remove(host_.consoles_.index_of(*console_));
}

/// A file of the program for each image that is named instead of given.
Status<BuildError> Guest::find_images(const GuestOptions &options) {
    images_ = options.images;
    if (!images_.empty() || description_.images.empty())
        return Ok{};
    files_ = OwnedArray<std::span<const u8>>::make(host_.allocator(), description_.images.size());
    if (!files_)
        return Err{build_error("", kNoMemory)};
    for (u32 i = 0; i < description_.images.size(); ++i) {
        machine::ImageRecord &image = description_.images[i];
        const auto file = host_.file(image.source);
        if (!file) {
            BuildError error;
            error.message << "no file '" << image.source << "' came with the program";
            return Err{error};
        }
        files_[i] = *file;
        image.blob = i;
        image.size_bytes = file->size();
    }
    images_ = files_.view();
    return Ok{};
}

/// A version that the host cannot have is the machine's to complain about.
Status<BuildError> Guest::make_host_gic() {
    aarch64::GuestResources &resources = objects_.resources();
    const aarch64::GicSupport support = resources.gic();
    const machine::GicRecord &gic = description_.gic;
    const bool v2 = gic.version == machine::GicVersion::v2;
    if (!support.own_controller || !(v2 ? support.v2 : support.v3))
        return Ok{};
    if (gic.redistributors_left(description_.vcpu_count) != 0)
        return Err{build_error("gic.redistributors", "this host has all of them side by side: they need more room")};
    const auto made = resources.make_gic({.version = gic.version,
                                          .spi_count = gic.spi_count,
                                          .distributor = gic.distributor.base,
                                          .other = (v2 ? gic.cpu_interface : gic.redistributors).base,
                                          .virtual_timer = 16u + description_.timer.virtual_timer,
                                          .physical_timer = 16u + description_.timer.physical});
    if (!made)
        return Err{build_error("gic", "the host could not make it there")};
    host_gic_.emplace(**made, gic.spi_count);
    return Ok{};
}

machine::HostSide Guest::host_side(VmId id, const GuestOptions &options) {
    aarch64::GuestResources &resources = objects_.resources();
    const aarch64::GicSupport gic = resources.gic();
    return {.id = id,
            .space = resources.space(),
            .vcpus = objects_.vcpus(),
            .allocator = host_.allocator(),
            .log = host_.log(),
            .clock = host_.clock(),
            .entropy = host_.entropy(),
            .timeouts = host_.executor().timeouts(),
            .console = options.console != nullptr ? options.console : console_,
            .gic_v2 = gic.v2,
            .gic_v3 = gic.v3,
            .gic_cpu_interface = gic.cpu_interface,
            .firmware_conduit = resources.firmware_conduit(),
            .parts = {.irq_router = host_gic_ ? &*host_gic_ : nullptr, .physical_timer = gic.own_controller},
            .shared = &*host_.shared_,
            .networks = &*host_.networks_,
            .started_vcpus = gic.own_controller ? StartedVcpus::all : StartedVcpus::boot};
}

Status<BuildError> Guest::build(const machine::MachineDescription &description, const GuestOptions &options) {
    description_ = description;
    SEL4VM_TRY(find_images(options));
    machine::place_shared(description_);
    if (const auto problems = machine::validate(description_, 0); !problems.empty()) {
        BuildError error;
        error.key << problems[0].key.view();
        error.message << "it is " << problems[0].value.view() << ", expected " << problems[0].expected.view();
        return Err{error};
    }
    const auto id = host_.executor().free_id();
    if (!id)
        return Err{limit_error("", "a program has at most ", Executor::kMaxVms, " VMs")};
    // From here on libraries may use any register (arch/aarch64/ports/program_host.hpp).
    if (!objects_.open(*host_.host_))
        return Err{build_error("", "the host could not make its address space")};
    if (const u32 limit = objects_.resources().max_vcpus(); description_.vcpu_count > limit)
        return Err{limit_error("vcpus", "a VM has at most ", limit, " vCPUs on this host")};
    if (const machine::CpuBudget &budget = description_.budget;
        budget.budget_us != 0 &&
        !objects_.resources().set_budget(description_.priority, budget.budget_us, budget.period_us))
        return Err{build_error("budget", "this host decides by itself what each VM has of a CPU")};
    if (!objects_.make_vcpus(*id, static_cast<u16>(description_.vcpu_count)))
        return Err{build_error("vcpus", "the host could not make them")};
    SEL4VM_TRY(make_host_gic());
    if (options.console == nullptr && (console_ = host_.consoles_.add(description_.name)) == nullptr)
        return Err{limit_error("", "at most ", machine::kMaxVms, " VMs share the host's console")};
    machine_ = Owned<machine::VirtMachine>::make(host_.allocator(), description_, images_, host_side(*id, options));
    if (!machine_)
        return Err{build_error("", kNoMemory)};
    SEL4VM_TRY(machine_->build());
    if (SerialPort *const port = machine_->console_port(); port != nullptr && console_ != nullptr) {
        host_.consoles_.connect(host_.consoles_.index_of(*console_), *port);
        host_.listen_to_console();
    }
    if (PowerButton *const button = machine_->power_button(); button != nullptr && console_ != nullptr)
        host_.consoles_.connect(host_.consoles_.index_of(*console_), *button);
    added_ = host_.executor().add(vm());
    SEL4VM_ASSERT(added_); // the identifier was free
    host_.guests_[id->value()] = this;
    return Ok{};
}

VcpuStatistics Guest::statistics(VcpuId id) {
    SEL4VM_ASSERT(id.value() < vm().vcpu_count());
    return statistics_of(vm().vcpu(id), host_.clock());
}

void Guest::disconnect_console() {
    if (console_ != nullptr)
        host_.consoles_.disconnect(host_.consoles_.index_of(*console_));
}

void Guest::reconnect_console() {
    if (console_ != nullptr)
        host_.consoles_.reconnect(host_.consoles_.index_of(*console_));
}

} // namespace sel4vm::program
