// SPDX-License-Identifier: BSD-2-Clause
//
// What this host has for a program: the process, with its terminal and its files.
#pragma once

#include <hosts/kvm/guest_resources.hpp>
#include <hosts/kvm/shared_ram.hpp>
#include <hosts/kvm/terminal.hpp>

#include <sel4vm/arch/aarch64/ports/program_host.hpp>

#include <map>
#include <string>
#include <vector>

namespace sel4vm::kvm {

class ProgramHost final : public aarch64::ProgramHost {
public:
    /// `shared` is open, and outlives it.
    explicit ProgramHost(Shared &shared) : shared_(shared) {}
    explicit ProgramHost(std::unique_ptr<Shared> own) : own_(std::move(own)), shared_(*own_) {}
    ProgramHost(const ProgramHost &) = delete;
    ProgramHost &operator=(const ProgramHost &) = delete;
    ~ProgramHost() = default;

    [[nodiscard]] Allocator &allocator() override { return shared_.heap; }
    [[nodiscard]] sel4vm::Log &log() override { return shared_.log; }
    [[nodiscard]] sel4vm::Clock &clock() override { return shared_.clock; }
    [[nodiscard]] sel4vm::Entropy &entropy() override { return shared_.entropy; }
    [[nodiscard]] sel4vm::EventPort &events() override { return events_; }
    void put(std::span<const u8> bytes) override { terminal_.put(bytes); }
    [[nodiscard]] usize read(std::span<u8> out) override { return terminal_.read(out); }
    [[nodiscard]] InputFlow input_flow() const override { return terminal_.flow(); }
    [[nodiscard]] Status<HostError> listen(u64 badge) override;
    /// By its path.
    [[nodiscard]] std::optional<std::span<const u8>> file(std::string_view name) override;
    [[nodiscard]] aarch64::GicSupport gic() override { return shared_.gic(); }
    [[nodiscard]] Result<aarch64::GuestResources *, HostError> make_guest() override;
    void free_guest(aarch64::GuestResources &guest) override;
    [[nodiscard]] kvm::SharedRam *shared_ram() override { return &shared_ram_; }

private:
    std::unique_ptr<Shared> own_;
    Shared &shared_;
    EventPort events_{shared_.clock, shared_.mailbox};
    Terminal terminal_{events_};
    kvm::SharedRam shared_ram_;
    bool listened_to_ = false;
    std::map<std::string, std::string, std::less<>> files_;
    std::vector<std::unique_ptr<GuestResources>> guests_;
};

} // namespace sel4vm::kvm
