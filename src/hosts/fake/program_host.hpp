// SPDX-License-Identifier: BSD-2-Clause
//
// The fake host of a C++ program: its guests share one event port, and the files and the console are the fake machine's.
#pragma once

#include <hosts/fake/counted_space.hpp>
#include <hosts/fake/guest_cpu_port.hpp>
#include <hosts/fake/guest_resources.hpp>
#include <hosts/fake/shared_ram.hpp>

#include <sel4vm/arch/aarch64/ports/program_host.hpp>

#include <memory>
#include <vector>

namespace sel4vm::fake {

class ProgramHost final : public aarch64::ProgramHost {
public:
    /// `host` outlives this.
    explicit ProgramHost(HostBase &host) : host_(host), events_(host) {}

    [[nodiscard]] Allocator &allocator() override { return host_; }
    [[nodiscard]] sel4vm::Log &log() override { return program_log(); }
    [[nodiscard]] sel4vm::Clock &clock() override { return host_.clock; }
    [[nodiscard]] sel4vm::Entropy &entropy() override { return host_.entropy; }
    [[nodiscard]] sel4vm::EventPort &events() override { return events_; }
    void put(std::span<const u8> bytes) override;
    [[nodiscard]] usize read(std::span<u8> out) override;
    [[nodiscard]] InputFlow input_flow() const override;
    [[nodiscard]] Status<HostError> listen(u64 badge) override;
    [[nodiscard]] std::optional<std::span<const u8>> file(std::string_view name) override;
    [[nodiscard]] aarch64::GicSupport gic() override { return GuestResources::gic_support(); }
    [[nodiscard]] Result<aarch64::GuestResources *, HostError> make_guest() override;
    void free_guest(aarch64::GuestResources &guest) override;
    [[nodiscard]] fake::SharedRam *shared_ram() override { return &shared_ram_; }

private:
    struct Space final : CountedSpace {
        using CountedSpace::CountedSpace;
    };
    struct Guest {
        Guest(HostBase &host, GuestCpuPort &events) : space(host), resources(host, events, space) {}
        Space space;
        GuestResources resources;
    };
    HostBase &host_;
    GuestCpuPort events_;
    fake::SharedRam shared_ram_;
    std::vector<std::unique_ptr<Guest>> guests_;
};

} // namespace sel4vm::fake
