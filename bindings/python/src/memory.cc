// Buffers of the program, memory that the library maps, and how accesses to it can be seen.
#include <pybind11/pybind11.h>

#include <cerrno>
#include <memory>
#include <string>
#include <utility>

#include "context.h"
#include "fields.h"
#include "gil.h"

namespace damon_python {

namespace {

// Holds the memory of a Python object where it is: it can be neither freed, resized nor unmapped.
class Buffer {
public:
    explicit Buffer(py::handle object) {
        if (PyObject_CheckBuffer(object.ptr()) == 0) {
            throw py::type_error(std::string("a buffer is needed (a NumPy array, bytearray, bytes, mmap, ...), not ") +
                                 Py_TYPE(object.ptr())->tp_name);
        }
        if (PyObject_GetBuffer(object.ptr(), &view_, PyBUF_ANY_CONTIGUOUS) != 0) {
            PyErr_Clear();
            // What gives no memory at all, as a closed mmap, says itself why.
            if (PyObject_GetBuffer(object.ptr(), &view_, PyBUF_FULL_RO) != 0) throw py::error_already_set();
            PyBuffer_Release(&view_);
            raise_error(-EINVAL, "the buffer's memory is not contiguous; pass its base array or a contiguous copy");
        }
        start_ = reinterpret_cast<uintptr_t>(view_.buf);
        size_ = static_cast<size_t>(view_.len);
        if (size_ > 0) return;
        PyBuffer_Release(&view_);
        raise_error(-EINVAL, "the buffer is empty; it must have at least one byte");
    }
    ~Buffer() { release(); }
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;

    // Lets the memory go; where it was is still known.
    void release() {
        if (is_released_) return;
        is_released_ = true;
        PyBuffer_Release(&view_);
    }

    uint64_t start() const { return start_; }
    uint64_t end() const { return start_ + size_; }
    size_t size() const { return size_; }
    const void* data() const { return view_.buf; }
    bool is_released() const { return is_released_; }

private:
    Py_buffer view_{};
    uint64_t start_ = 0;
    size_t size_ = 0;
    bool is_released_ = false;
};

// Memory of damon_shared_map(): its accesses can be seen on every kernel. Goes when nobody looks at it any more.
class SharedMemory {
public:
    explicit SharedMemory(size_t size) : size_(size) {
        if (size == 0) raise_error(-EINVAL, "size is 0; it must be at least 1 byte");
        address_ = damon_shared_map(size);
        if (address_ == nullptr) raise_error(-errno, "no shared memory of " + std::to_string(size) + " bytes");
    }
    ~SharedMemory() {
        without_gil([this] { return damon_shared_unmap(address_, size_); });
    }
    SharedMemory(const SharedMemory&) = delete;
    SharedMemory& operator=(const SharedMemory&) = delete;

    py::buffer_info view() { return {static_cast<uint8_t*>(address_), static_cast<py::ssize_t>(size_)}; }
    uint64_t address() const { return reinterpret_cast<uintptr_t>(address_); }
    size_t size() const { return size_; }

private:
    void* address_;
    size_t size_;
};

// A shared mapping of the program's own that is declared, and held in place, until it is withdrawn.
class SharedDeclaration {
public:
    explicit SharedDeclaration(py::handle object) : buffer_(std::make_unique<Buffer>(object)) {
        const int error = damon_shared_declare(buffer_->data(), buffer_->size());
        if (error < 0) {
            raise_error(error, std::string(damon_strerror(error)) +
                                   ": only whole pages of a MAP_SHARED mapping that is not declared yet can be "
                                   "declared, such as mmap.mmap(-1, 1 << 20)");
        }
    }
    ~SharedDeclaration() { withdraw(); }
    SharedDeclaration(const SharedDeclaration&) = delete;
    SharedDeclaration& operator=(const SharedDeclaration&) = delete;

    void withdraw() {
        if (buffer_ == nullptr) return;
        const std::unique_ptr<Buffer> buffer = std::move(buffer_);
        without_gil([&buffer] { return damon_shared_withdraw(buffer->data(), buffer->size()); });
    }

private:
    std::unique_ptr<Buffer> buffer_;
};

py::dict probe(py::handle id) {
    damon_access_check_info info;
    damon_access_check_info_init(&info);
    const int32_t number = to_i32(id, "access_check");
    const int error = without_gil([&] { return damon_access_check_probe(number, &info); });
    if (error < 0) raise_error(error, "access_check is " + std::to_string(number) + "; there is no such access check");
    py::dict found;
    found["available"] = info.available != 0;
    found["sees"] = info.sees;
    found["error"] = -info.error;
    found["name"] = py::str(info.name);
    found["reason"] = py::str(info.reason);
    return found;
}

}  // namespace

void bind_memory(py::module_& module) {
    py::class_<Buffer>(module, "Buffer")
        .def(py::init<py::handle>())
        .def("__reduce__",
             [](const Buffer&) -> py::object {
                 throw py::type_error(
                     "the target has a buffer of this process; it cannot be copied or sent to another one");
             })
        .def("release", &Buffer::release)
        .def_property_readonly("released", &Buffer::is_released)
        .def_property_readonly("start", &Buffer::start)
        .def_property_readonly("end", &Buffer::end);
    py::class_<SharedMemory>(module, "SharedMemory", py::buffer_protocol(),
                             "Memory whose reads and writes can be seen on every kernel; a buffer of bytes.")
        .def(py::init([](py::handle size) { return new SharedMemory(to_u64(size, "size")); }))
        .def_property_readonly("address", &SharedMemory::address, "Where it begins.")
        .def("__len__", &SharedMemory::size)
        .def("__repr__",
             [](const SharedMemory& self) {
                 return "<damon.SharedMemory of " + std::to_string(self.size()) + " bytes>";
             })
        .def_buffer(&SharedMemory::view);
    py::class_<SharedDeclaration>(module, "SharedDeclaration", "A declared shared mapping: until withdraw().")
        .def(py::init<py::handle>())
        .def("withdraw", &SharedDeclaration::withdraw, "Takes the declaration back; the mapping can go afterwards.")
        .def("__enter__", [](py::object self) { return self; })
        .def("__exit__", [](SharedDeclaration& self, const py::args&) { self.withdraw(); });
    module.def("access_check_probe", &probe);
}

}  // namespace damon_python
