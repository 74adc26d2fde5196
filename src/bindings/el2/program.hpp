// SPDX-License-Identifier: BSD-2-Clause
//
// A C program on the el2 host: what its library calls work on, from printf to vm_init. One object, made before main() and reached
// through the CPU's own register, so that nothing here is a global variable.
#pragma once

#include <bindings/el2/endpoint.hpp>
#include <bindings/el2/images.hpp>
#include <hosts/el2/boot/cpu_local.hpp>
#include <hosts/el2/host.hpp>
#include <hosts/el2/platform/line.hpp>

namespace sel4vm::el2 {

class Program final : private UnfinishedLine {
public:
    explicit Program(Host &host);
    Program(const Program &) = delete;
    Program &operator=(const Program &) = delete;

    /// The one that runs. Valid inside main() and what it calls.
    [[nodiscard]] static Program &current() { return *static_cast<Program *>(CpuLocal::current()->program); }

    [[nodiscard]] Host &host() { return host_; }
    [[nodiscard]] LineLog &log() { return log_; }

    /// Which executor has the CPU.
    [[nodiscard]] CpuClaim &claim() { return claim_; }
    /// An image of the bundle, docs of BundleImages.
    [[nodiscard]] std::optional<std::span<const u8>> image(std::string_view name) { return images_.find(name); }
    /// How long a VM runs at a time while others of its executor want the CPU.
    [[nodiscard]] u64 slice_microseconds() const { return slice_microseconds_; }

    /// Whose input the console's is; nullptr for nobody's.
    [[nodiscard]] Endpoint *console_listener() const { return console_listener_; }
    void set_console_listener(Endpoint *endpoint, u64 badge);
    /// That, when there is input and nobody listens yet.
    [[nodiscard]] Status<HostError> listen(Endpoint &endpoint, u64 badge);

    /// Bytes as they are.
    void put(std::span<const u8> bytes);
    /// Standard output: CR is put before an LF that has none.
    void print(std::string_view text);

    /// Says the status and leaves the machine.
    [[noreturn]] void exit(int status);

private:
    void end_line() override;

    Host &host_;
    LineMode mode_;
    LineLog log_;
    LineOutput output_;
    CpuClaim claim_;
    BundleImages images_;
    u64 slice_microseconds_ = kDefaultSliceMicroseconds;
    Endpoint *console_listener_ = nullptr;
    char last_ = '\n';
};

} // namespace sel4vm::el2
