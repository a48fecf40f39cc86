# In a build tree, `cpack -G TGZ` makes one archive and `cpack -G DEB` libdamon0, libdamon-dev and libdamon-agent. `./dev release`
# does both, from a tree with CMAKE_INSTALL_PREFIX=/usr and Debian's CMAKE_INSTALL_LIBDIR, and checks what it gets.
set(DAMON_CONTACT "libdamon maintainers <maintainers@libdamon.invalid>" CACHE STRING "Maintainer of the packages")
mark_as_advanced(DAMON_CONTACT)
set(CPACK_PACKAGE_NAME libdamon)
set(CPACK_PACKAGE_VENDOR libdamon)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "") # each package has its own
set(CPACK_PACKAGE_CONTACT "${DAMON_CONTACT}")
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL runtime development)
if(DAMON_BUILD_TOOLS)
    list(APPEND CPACK_COMPONENTS_ALL agent)
endif()
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(version ${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE})
set(about " DAMON tells which memory of a program is hot, which is cold, and since when,
 at a cost that is bounded whatever the size of the memory. libdamon is DAMON
 as a library that a program embeds: without root and without a kernel module.
 .
")
string(REGEX REPLACE "(^|\n) " "\\1" about "${about}")

set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME libdamon${PROJECT_VERSION_MAJOR})
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SHLIBDEPS ON)
set(CPACK_COMPONENT_RUNTIME_DESCRIPTION "monitor data accesses of the running program - shared library
${about}This package has the shared library.")
file(WRITE ${PROJECT_BINARY_DIR}/debian/triggers "activate-noawait ldconfig\n")
set(minor ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
file(WRITE ${PROJECT_BINARY_DIR}/debian/shlibs
    "libdamon ${PROJECT_VERSION_MAJOR} libdamon${PROJECT_VERSION_MAJOR} (>= ${minor}), libdamon${PROJECT_VERSION_MAJOR} (<< ${minor}.99)\n")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_CONTROL_EXTRA
    ${PROJECT_BINARY_DIR}/debian/triggers ${PROJECT_BINARY_DIR}/debian/shlibs)

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libdamon-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "libdamon${PROJECT_VERSION_MAJOR} (= ${version})")
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION "monitor data accesses of the running program - development files
${about}This package has the header, the static library, and the files for CMake
and pkg-config.")

set(CPACK_DEBIAN_AGENT_PACKAGE_NAME libdamon-agent)
set(CPACK_DEBIAN_AGENT_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_AGENT_PACKAGE_SHLIBDEPS ON)
set(CPACK_COMPONENT_AGENT_DESCRIPTION "monitor data accesses of programs that nobody changed - agent
${about}This package has the agent: a library that is preloaded into a program and
monitors it from inside.")

# What Debian wants beside the files that are installed; the date is that of the commit (SOURCE_DATE_EPOCH).
configure_file(${PROJECT_SOURCE_DIR}/cmake/debian_files.cmake.in debian/files.cmake @ONLY)
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_BINARY_DIR}/debian/files.cmake)
include(CPack)
