// SPDX-License-Identifier: BSD-2-Clause
//
// Runs one guest by KVM: the `virt` machine of the command line's options. Deliberately no system files and no bundle.
#include <apps/kvm/options.hpp>

#include <sel4vm/program/host.hpp>

#include <cstdio>

using namespace sel4vm;

namespace {

constexpr int kStatusGuest = 1;
constexpr int kStatusUse = 2;

machine::MachineDescription describe(const kvm_program::Options &options, program::Host &host) {
    machine::MachineDescription machine{
        .name = "guest",
        .vcpu_count = options.vcpus,
        .memory = {{.base = Gpa{0x4000'0000}, .size_bytes = options.memory_mib * kMiB}},
        .devices = {machine::default_uart(), machine::default_rtc()},
        .images = {{.kind = machine::ImageKind::kernel, .source = options.kernel}},
        .cmdline = options.cmdline,
    };
    machine.gic.version = !options.gic        ? host.gic_version()
                          : *options.gic == 2 ? machine::GicVersion::v2
                                              : machine::GicVersion::v3;
    if (!options.initrd.empty())
        static_cast<void>(machine.images.emplace_back(
            machine::ImageRecord{.kind = machine::ImageKind::initrd, .source = options.initrd}));
    if (!options.dtb.empty())
        static_cast<void>(
            machine.images.emplace_back(machine::ImageRecord{.kind = machine::ImageKind::dtb, .source = options.dtb}));
    return machine;
}

void report(program::Host &host, const machine::BuildError &error) {
    std::string text(error.key.view());
    text += text.empty() ? "" : ": ";
    text += error.message.view();
    host.log().line(LogLevel::error, "guest", text);
}

} // namespace

int main(int argc, char **argv) {
    std::string problem;
    const kvm_program::Options options = kvm_program::read_options(argc, argv, problem);
    if (!problem.empty()) {
        std::fprintf(stderr, "sel4vm-kvm: %s\n", problem.c_str());
        return kStatusUse;
    }
    if (options.help) {
        std::fputs(kvm_program::kUsage, stdout);
        return 0;
    }
    program::Host host;
    if (!host.open())
        return kStatusUse;
    const auto guest = host.make_guest(describe(options, host));
    if (!guest) {
        report(host, guest.error());
        return kStatusUse;
    }
    if (!(*guest)->start()) {
        host.log().line(LogLevel::error, "guest", "its images could not be loaded");
        return kStatusUse;
    }
    host.run();
    return (*guest)->stop_reason() == StopReason::powered_off ? 0 : kStatusGuest;
}
