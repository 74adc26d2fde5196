// SPDX-License-Identifier: BSD-2-Clause
//
// The host of C++ programs: over the running program, without any of the C interface's structures. Its guests share one executor.
#include <bindings/program_host.hpp>

#include <bindings/el2/handles.hpp>
#include <bindings/el2/program.hpp>
#include <hosts/el2/guest_resources.hpp>

#include <sel4vm/program/linked_host.hpp>

namespace sel4vm::el2 {

namespace {

/// One guest's, in a list.
struct ProgramGuest {
    ProgramGuest(Program &program, EndpointExecutor &executor, Owned<GuestSpace> its_space)
        : space(std::move(its_space)),
          resources({program.host(), program.log(), executor.processor(), executor, *space, *space}) {}
    Owned<GuestSpace> space;
    GuestResources resources;
    Owned<ProgramGuest> next;
};

class ProgramHost final : public aarch64::ProgramHost {
public:
    /// `own`: the endpoint, when it is not an environment's.
    ProgramHost(Program &program, Owned<Endpoint> own, Endpoint &endpoint, EndpointExecutor &executor)
        : program_(program), own_(std::move(own)), endpoint_(endpoint), executor_(program.host(), executor) {}
    ~ProgramHost() {
        if (own_ && program_.console_listener() == own_.get())
            program_.set_console_listener(nullptr, 0);
    }
    ProgramHost(const ProgramHost &) = delete;
    ProgramHost &operator=(const ProgramHost &) = delete;

    [[nodiscard]] Allocator &allocator() override { return host().heap(); }
    [[nodiscard]] Log &log() override { return program_.log(); }
    [[nodiscard]] Clock &clock() override { return host().clock(); }
    [[nodiscard]] Entropy &entropy() override { return host().entropy(); }
    [[nodiscard]] EventPort &events() override { return executor_.executor(); }
    void put(std::span<const u8> bytes) override { program_.put(bytes); }
    [[nodiscard]] usize read(std::span<u8> out) override { return host().console().read(out); }
    [[nodiscard]] InputFlow input_flow() const override { return program_.host().input_flow(); }
    [[nodiscard]] Status<HostError> listen(u64 badge) override { return program_.listen(endpoint_, badge); }
    [[nodiscard]] std::optional<std::span<const u8>> file(std::string_view name) override {
        return program_.image(name);
    }
    [[nodiscard]] aarch64::GicSupport gic() override {
        return GuestResources::gic_support(host(), executor_.executor().processor());
    }
    [[nodiscard]] SharedRamPort *shared_ram() override { return &host().shared_ram(); }
    [[nodiscard]] Result<aarch64::GuestResources *, HostError> make_guest() override {
        program_.claim().take_back(); // for what the caller does until the next wait
        auto space = SEL4VM_TRY(host().make_guest_space());
        auto guest = Owned<ProgramGuest>::make(host().heap(), program_, executor_.executor(), std::move(space));
        if (!guest)
            return Err{HostError{HostErrorKind::out_of_memory}};
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
    [[nodiscard]] Host &host() { return program_.host(); }

    Program &program_;
    Owned<Endpoint> own_;
    Endpoint &endpoint_;
    ExecutorShare executor_;
    Owned<ProgramGuest> guests_;
};

Result<aarch64::ProgramHost *, HostError> make_host(Owned<Endpoint> own, Endpoint &endpoint) {
    Program &program = Program::current();
    Heap &heap = program.host().heap();
    auto executor = EndpointExecutor::make(program.host(), program.claim(), endpoint, program.slice_microseconds());
    auto made =
        executor ? Owned<ProgramHost>::make(heap, program, std::move(own), endpoint, *executor) : Owned<ProgramHost>{};
    if (!made) {
        program.log().line(LogLevel::error, "host", "not enough memory for what VMs share");
        return Err{HostError{HostErrorKind::out_of_memory}};
    }
    static_cast<void>(executor.release()); // now the host's
    return static_cast<aarch64::ProgramHost *>(made.release());
}

} // namespace

} // namespace sel4vm::el2

namespace sel4vm {

using el2::Endpoint;

Result<aarch64::ProgramHost *, HostError> bindings::open_program_host(vm_host_t &environment,
                                                                      const vm_timeout_source_t *) {
    auto *const endpoint = el2::object_of<Endpoint>(el2::HandleKind::endpoint, environment.endpoint);
    if (endpoint == nullptr)
        return Err{HostError{HostErrorKind::invalid}};
    return el2::make_host({}, *endpoint);
}

void bindings::close_program_host(aarch64::ProgramHost &host) {
    static_cast<void>(Owned<el2::ProgramHost>::take(host.allocator(), static_cast<el2::ProgramHost *>(&host)));
}

Result<aarch64::ProgramHost *, HostError> program::open_linked_host() {
    auto endpoint = Owned<Endpoint>::make(el2::Program::current().host().heap());
    if (!endpoint)
        return Err{HostError{HostErrorKind::out_of_memory}};
    Endpoint &own = *endpoint;
    return el2::make_host(std::move(endpoint), own);
}

void program::close_linked_host(aarch64::ProgramHost &host) { bindings::close_program_host(host); }

} // namespace sel4vm
