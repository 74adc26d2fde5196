// SPDX-License-Identifier: BSD-2-Clause
//
// See fdt_writer.hpp.
#include <sel4vm/boot/fdt_writer.hpp>

#include <sel4vm/base/assert.hpp>
#include <sel4vm/base/text.hpp>

#include <cstring>
#include <libfdt.h>

namespace sel4vm::boot {
namespace {

constexpr usize kMaxNodeName = 63;

void store_be32(u8 *at, u32 value) {
    for (int i = 0; i < 4; ++i)
        at[i] = static_cast<u8>(value >> (24 - 8 * i));
}

} // namespace

std::string_view to_string(FdtError error) {
    switch (error) {
    case FdtError::no_space: return "does not fit into its buffer";
    case FdtError::bad_name: return "has a name that cannot be written";
    case FdtError::malformed: return "is not a well-formed flattened device tree";
    case FdtError::bad_cells: return "has #address-cells or #size-cells that cannot express the VM's addresses";
    }
    return "has an unknown error";
}

FdtWriter::FdtWriter(std::span<u8> buffer) : buffer_(buffer) {
    // libfdt takes the size as an int.
    constexpr usize kLargest = 0x7fff'ffff;
    if (buffer_.size() > kLargest)
        buffer_ = buffer_.first(kLargest);
    note(fdt_create(buffer_.data(), static_cast<int>(buffer_.size())));
    if (error_ == 0)
        note(fdt_finish_reservemap(buffer_.data()));
}

/// What is written is answered with 0 or an error; the first error stays.
void FdtWriter::note(int libfdt_result) {
    if (error_ == 0)
        error_ = libfdt_result;
}

FdtWriter &FdtWriter::begin_node(std::string_view name) {
    ++depth_;
    char terminated[kMaxNodeName + 1] = {};
    if (name.size() > kMaxNodeName)
        note(-FDT_ERR_BADPATH);
    if (error_ != 0)
        return *this;
    if (!name.empty())
        std::memcpy(terminated, name.data(), name.size());
    note(fdt_begin_node(buffer_.data(), terminated));
    return *this;
}

FdtWriter &FdtWriter::begin_node(std::string_view name, u64 unit_address) {
    Text<kMaxNodeName + 1> hex;
    hex << Hex{unit_address};
    Text<2 * kMaxNodeName> whole;
    whole << name << '@' << hex.view().substr(2);
    return begin_node(whole.view());
}

FdtWriter &FdtWriter::end_node() {
    SEL4VM_ASSERT(depth_ > 0);
    --depth_;
    if (error_ == 0)
        note(fdt_end_node(buffer_.data()));
    return *this;
}

std::span<u8> FdtWriter::open_property(const char *name, usize size_bytes) {
    if (size_bytes > buffer_.size())
        note(-FDT_ERR_NOSPACE);
    if (error_ != 0)
        return {};
    void *value = nullptr;
    note(fdt_property_placeholder(buffer_.data(), name, static_cast<int>(size_bytes), &value));
    return error_ == 0 ? std::span<u8>(static_cast<u8 *>(value), size_bytes) : std::span<u8>();
}

FdtWriter &FdtWriter::empty(const char *name) { return bytes(name, {}); }

FdtWriter &FdtWriter::cells(const char *name, std::span<const u32> values) {
    const auto place = open_property(name, values.size() * 4);
    if (!place.empty())
        for (usize i = 0; i < values.size(); ++i)
            store_be32(&place[i * 4], values[i]);
    return *this;
}

FdtWriter &FdtWriter::cells(const char *name, std::initializer_list<u32> values) {
    return cells(name, std::span<const u32>(values.begin(), values.size()));
}

FdtWriter &FdtWriter::wide_cells(const char *name, std::initializer_list<u64> values) {
    const auto place = open_property(name, values.size() * 8);
    usize at = 0;
    if (!place.empty())
        for (const u64 value : values) {
            store_be32(&place[at], static_cast<u32>(value >> 32));
            store_be32(&place[at + 4], static_cast<u32>(value));
            at += 8;
        }
    return *this;
}

FdtWriter &FdtWriter::texts(const char *name, std::initializer_list<std::string_view> values) {
    usize size = 0;
    for (const auto &value : values)
        size += value.size() + 1;
    const auto place = open_property(name, size);
    usize at = 0;
    if (!place.empty())
        for (const auto &value : values) {
            if (!value.empty())
                std::memcpy(&place[at], value.data(), value.size());
            at += value.size();
            place[at++] = 0;
        }
    return *this;
}

FdtWriter &FdtWriter::bytes(const char *name, std::span<const u8> value) {
    const auto place = open_property(name, value.size());
    if (!place.empty())
        std::memcpy(place.data(), value.data(), value.size());
    return *this;
}

Result<std::span<const u8>, FdtError> FdtWriter::finish() {
    SEL4VM_ASSERT(depth_ == 0); // libfdt does not notice
    if (error_ == 0)
        note(fdt_finish(buffer_.data()));
    if (error_ == -FDT_ERR_NOSPACE)
        return Err{FdtError::no_space};
    if (error_ == -FDT_ERR_BADPATH)
        return Err{FdtError::bad_name};
    if (error_ != 0)
        return Err{FdtError::malformed};
    return std::span<const u8>(buffer_).first(fdt_totalsize(buffer_.data()));
}

} // namespace sel4vm::boot
