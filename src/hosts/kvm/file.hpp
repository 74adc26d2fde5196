// SPDX-License-Identifier: BSD-2-Clause
//
// A file of the kernel that is closed with its owner, and requests to it as results instead of errno.
#pragma once

#include <sel4vm/host/host_error.hpp>

#include <cerrno>
#include <sys/ioctl.h>
#include <unistd.h>
#include <utility>

namespace sel4vm::kvm {

[[nodiscard]] constexpr HostError host_error(int error) {
    switch (error) {
    case ENOMEM: return {HostErrorKind::out_of_memory, error};
    case EINVAL:
    case EEXIST:
    case E2BIG: return {HostErrorKind::invalid, error};
    case EBUSY: return {HostErrorKind::busy, error};
    case ENOENT:
    case ENXIO:
    case ENODEV: return {HostErrorKind::not_available, error};
    default: return {HostErrorKind::failed, error};
    }
}

class File {
public:
    File() = default;
    explicit File(int number) : number_(number) {}
    File(File &&other) noexcept : number_(std::exchange(other.number_, -1)) {}
    File &operator=(File &&other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }
    ~File() {
        if (number_ >= 0)
            ::close(number_);
    }
    [[nodiscard]] int number() const { return number_; }
    explicit operator bool() const { return number_ >= 0; }

    /// An ioctl with a number as its argument; the result is what the kernel returned.
    [[nodiscard]] Result<int, HostError> request(unsigned long what, u64 argument = 0) const {
        return checked(::ioctl(number_, what, argument));
    }
    /// An ioctl with a structure.
    template <class T>
    [[nodiscard]] Result<int, HostError> request_with(unsigned long what, T &argument) const {
        return checked(::ioctl(number_, what, &argument));
    }

private:
    static Result<int, HostError> checked(int result) {
        if (result < 0)
            return Err{host_error(errno)};
        return result;
    }
    int number_ = -1;
};

} // namespace sel4vm::kvm
