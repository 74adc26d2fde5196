// SPDX-License-Identifier: BSD-2-Clause
//
// The host of C++ programs: objects of an environment's vka, simple and vspace (sel4vm/host.h), which is the program's own or given. Its guests share
// one endpoint.
#include <bindings/program_host.hpp>

#include <bindings/sel4/shared.hpp>
#include <hosts/sel4/gic_addresses.hpp>
#include <hosts/sel4/guest_resources.hpp>

#include <sel4vm/program/linked_host.hpp>

#include <algorithm>
#include <array>
#include <memory>
#include <new>

namespace sel4vm::sel4 {

namespace {

/// One guest's, in a list.
struct ProgramGuest {
    ProgramGuest(vm_host_t &environment, Shared &shared)
        : space({&environment.vka, &environment.vspace, &shared.heap(), &shared.devices()}),
          resources({environment.vka, environment.simple, shared.heap(), shared.log(), shared.clock(), shared.entropy(),
                     shared.endpoint(), space, GuestResources::kMaxVcpus}) {}
    [[nodiscard]] Status<HostError> create(simple_t &simple) {
        SEL4VM_TRY(space.create(simple));
        return resources.create();
    }
    GuestSpace space;
    GuestResources resources;
    Owned<ProgramGuest> next;
};

class ProgramHost final : public aarch64::ProgramHost {
public:
    /// `given`: an environment that outlives this, or nullptr for one of its own.
    explicit ProgramHost(vm_host_t *given) : environment_(given != nullptr ? *given : own_) {}
    ~ProgramHost() {
        if (shared_ != nullptr)
            Shared::leave(*shared_);
        if (is_open_)
            vm_host_close(&own_);
    }
    ProgramHost(const ProgramHost &) = delete;
    ProgramHost &operator=(const ProgramHost &) = delete;

    [[nodiscard]] Status<HostError> open(const vm_timeout_source_t *timeouts) {
        if (&environment_ == &own_) {
            if (vm_host_open(&own_) != 0)
                return Err{HostError{HostErrorKind::failed}};
            is_open_ = true;
        }
        shared_ = SEL4VM_TRY(Shared::join(environment_.vka, environment_.simple, environment_.endpoint, nullptr));
        if (timeouts != nullptr)
            SEL4VM_TRY(shared_->set_timeout_source(*timeouts));
        return Ok{};
    }

    [[nodiscard]] Allocator &allocator() override { return CHeap::instance(); }
    [[nodiscard]] Log &log() override { return shared_->log(); }
    [[nodiscard]] Clock &clock() override { return shared_->clock(); }
    [[nodiscard]] Entropy &entropy() override { return shared_->entropy(); }
    [[nodiscard]] EventPort &events() override { return shared_->endpoint(); }
    void put(std::span<const u8> bytes) override { vm_host_console_put(&environment_, bytes.data(), bytes.size()); }
    [[nodiscard]] usize read(std::span<u8> out) override {
        return vm_host_console_get(&environment_, out.data(), out.size());
    }
    [[nodiscard]] Status<HostError> listen(u64 badge) override {
        if (vm_host_console_listen(&environment_, badge) != 0)
            return Err{HostError{HostErrorKind::not_available}};
        return Ok{};
    }
    [[nodiscard]] std::optional<std::span<const u8>> file(std::string_view name) override {
        std::array<char, 256> terminated{};
        if (name.size() >= terminated.size())
            return std::nullopt;
        name.copy(terminated.data(), name.size());
        const void *bytes = nullptr;
        size_t size = 0;
        if (vm_host_file(&environment_, terminated.data(), &bytes, &size) != 0)
            return std::nullopt;
        return std::span{static_cast<const u8 *>(bytes), size};
    }
    // The highest that a VM can have is the environment's.
    [[nodiscard]] int vcpu_priority() const override {
        return std::max(environment_.priority - static_cast<int>(GuestResources::kPriorities - 1), 0);
    }
    [[nodiscard]] aarch64::GicSupport gic() override { return gic_support(); }
    [[nodiscard]] Result<aarch64::GuestResources *, HostError> make_guest() override {
        auto guest = Owned<ProgramGuest>::make(allocator(), environment_, *shared_);
        if (!guest)
            return Err{out_of_memory()};
        SEL4VM_TRY(guest->create(environment_.simple));
        guest->next = std::move(guests_);
        guests_ = std::move(guest);
        return static_cast<aarch64::GuestResources *>(&guests_->resources);
    }
    void free_guest(aarch64::GuestResources &guest) override {
        Owned<ProgramGuest> *link = &guests_;
        while (&(*link)->resources != &guest)
            link = &(*link)->next;
        const Owned<ProgramGuest> gone = std::move(*link);
        *link = std::move(gone->next);
    }

private:
    vm_host_t own_{};
    vm_host_t &environment_;
    bool is_open_ = false; // own_
    Shared *shared_ = nullptr;
    Owned<ProgramGuest> guests_;
};

/// Where the linked one is: the heap may be its environment's. Of the one root task, as that is.
void *place_of_linked_host() {
    alignas(ProgramHost) static std::array<u8, sizeof(ProgramHost)> place;
    return place.data();
}

Err<HostError> cannot_open(HostError error) {
    PrintLog{}.line(LogLevel::error, "host", "it could not make what VMs share");
    return Err{error};
}

} // namespace

} // namespace sel4vm::sel4

namespace sel4vm {

Result<aarch64::ProgramHost *, HostError> bindings::open_program_host(vm_host_t &environment,
                                                                      const vm_timeout_source_t *timeouts) {
    auto host = Owned<sel4::ProgramHost>::make(sel4::CHeap::instance(), &environment);
    if (!host)
        return sel4::cannot_open(sel4::out_of_memory());
    if (const auto opened = host->open(timeouts); !opened)
        return sel4::cannot_open(opened.error());
    return static_cast<aarch64::ProgramHost *>(host.release());
}

void bindings::close_program_host(aarch64::ProgramHost &host) {
    static_cast<void>(Owned<sel4::ProgramHost>::take(sel4::CHeap::instance(), static_cast<sel4::ProgramHost *>(&host)));
}

Result<aarch64::ProgramHost *, HostError> program::open_linked_host() {
    auto *const host = ::new (sel4::place_of_linked_host()) sel4::ProgramHost(nullptr);
    if (const auto opened = host->open(nullptr); !opened) {
        std::destroy_at(host);
        return sel4::cannot_open(opened.error());
    }
    return static_cast<aarch64::ProgramHost *>(host);
}

void program::close_linked_host(aarch64::ProgramHost &host) {
    std::destroy_at(static_cast<sel4::ProgramHost *>(&host));
}

} // namespace sel4vm
