#include "fields.h"

#include <cstring>
#include <limits>
#include <string>

#include "errors.h"

namespace damon_python {

namespace {

std::string type_name(py::handle value) { return Py_TYPE(value.ptr())->tp_name; }

// The value as a Python integer: whatever says that it is one (int, bool, enum members, NumPy's integers).
py::int_ to_integer(py::handle value, const char* what) {
    PyObject* integer = PyNumber_Index(value.ptr());
    if (integer != nullptr) return py::reinterpret_steal<py::int_>(integer);
    PyErr_Clear();
    throw py::type_error(std::string(what) + " must be an integer, not " + type_name(value));
}

[[noreturn]] void out_of_range(const py::int_& value, const char* what, const std::string& range) {
    raise_error(-EINVAL, std::string(what) + " is " + std::string(py::str(value)) + "; it must be from " + range);
}

uint64_t to_unsigned(py::handle value, const char* what, uint64_t highest) {
    const py::int_ integer = to_integer(value, what);
    const uint64_t number = PyLong_AsUnsignedLongLong(integer.ptr());
    const bool fits = PyErr_Occurred() == nullptr && number <= highest;
    PyErr_Clear();
    if (!fits) out_of_range(integer, what, "0 to " + std::to_string(highest));
    return number;
}

void store(void* member, Kind kind, py::handle value, const char* what) {
    if (kind == Kind::kU64) {
        const uint64_t number = to_u64(value, what);
        memcpy(member, &number, sizeof number);
    } else if (kind == Kind::kU32) {
        const uint32_t number = to_u32(value, what);
        memcpy(member, &number, sizeof number);
    } else {
        const int32_t number = to_i32(value, what);
        memcpy(member, &number, sizeof number);
    }
}

size_t size_of(Kind kind) { return kind == Kind::kU64 ? sizeof(uint64_t) : sizeof(uint32_t); }

template <typename Number>
py::int_ load_as(const void* member) {
    Number number{};
    memcpy(&number, member, sizeof number);
    return py::int_(number);
}

py::int_ load(const void* member, Kind kind) {
    if (kind == Kind::kU64) return load_as<uint64_t>(member);
    return kind == Kind::kU32 ? load_as<uint32_t>(member) : load_as<int32_t>(member);
}

py::object load_field(const char* base, const Field& field) {
    if (field.count == 1) return load(base + field.offset, field.kind);
    py::tuple values(field.count);
    for (size_t i = 0; i < field.count; ++i)
        values[i] = load(base + field.offset + i * size_of(field.kind), field.kind);
    return values;
}

void read_sequence(py::handle value, const Field& field, char* base) {
    const std::string what = field.name;
    if (!py::isinstance<py::sequence>(value)) {
        throw py::type_error(what + " must be a sequence of integers, not " + type_name(value));
    }
    const auto values = py::reinterpret_borrow<py::sequence>(value);
    if (values.size() > field.count) {
        raise_error(-EINVAL, what + " has " + std::to_string(values.size()) + " entries; it may have up to " +
                                 std::to_string(field.count));
    }
    for (size_t i = 0; i < values.size(); ++i) {
        const std::string entry = what + "[" + std::to_string(i) + "]";
        store(base + field.offset + i * size_of(field.kind), field.kind, py::object(values[i]), entry.c_str());
    }
}

}  // namespace

uint64_t to_u64(py::handle value, const char* what) {
    return to_unsigned(value, what, std::numeric_limits<uint64_t>::max());
}

uint32_t to_u32(py::handle value, const char* what) {
    return static_cast<uint32_t>(to_unsigned(value, what, std::numeric_limits<uint32_t>::max()));
}

int32_t to_i32(py::handle value, const char* what) {
    const py::int_ integer = to_integer(value, what);
    const int64_t number = PyLong_AsLongLong(integer.ptr());
    const bool fits = PyErr_Occurred() == nullptr && number >= std::numeric_limits<int32_t>::min() &&
                      number <= std::numeric_limits<int32_t>::max();
    PyErr_Clear();
    if (!fits) out_of_range(integer, what, "-2147483648 to 2147483647");
    return static_cast<int32_t>(number);
}

void read_fields(py::handle object, Fields fields, void* out) {
    char* base = static_cast<char*>(out);
    for (const Field& field : fields) {
        const py::object holder =
            field.group == nullptr ? py::reinterpret_borrow<py::object>(object) : object.attr(field.group);
        const py::object value = holder.attr(field.name);
        if (field.count > 1) {
            read_sequence(value, field, base);
            continue;
        }
        const std::string what = field.group == nullptr ? field.name : std::string(field.group) + "." + field.name;
        store(base + field.offset, field.kind, value, what.c_str());
    }
}

py::dict write_fields(const void* in, Fields fields) {
    py::dict written;
    for (const Field& field : fields) {
        py::dict holder = written;
        if (field.group != nullptr) {
            if (!written.contains(field.group)) written[field.group] = py::dict();
            holder = written[field.group];
        }
        holder[field.name] = load_field(static_cast<const char*>(in), field);
    }
    return written;
}

}  // namespace damon_python
