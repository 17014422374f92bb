# cmake --install: headers, libglaive, libglaive_reader, the tool, find_package(glaive) and pkg-config.
# Where Arrow came from the wheel, its headers and libraries are installed beside (lib/glaive/arrow), so that
# a program needs nothing else.
include(CMakePackageConfigHelpers)

set(GLAIVE_ARROW_SUBDIR "glaive/arrow")
set(install_rpath "$ORIGIN" "$ORIGIN/${GLAIVE_ARROW_SUBDIR}" "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}"
    "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}/${GLAIVE_ARROW_SUBDIR}")
set_target_properties(glaive glaive_reader_shared PROPERTIES INSTALL_RPATH "${install_rpath}")
set_target_properties(glaive_reader_shared PROPERTIES EXPORT_NAME reader)
target_include_directories(glaive INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_include_directories(glaive_reader_shared INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)

install(TARGETS glaive glaive_reader_shared EXPORT glaiveTargets
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY "${CMAKE_SOURCE_DIR}/include/glaive" DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT glaiveTargets NAMESPACE glaive:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/glaive)
set_target_properties(glaive_tool PROPERTIES INSTALL_RPATH "${install_rpath}")
install(TARGETS glaive_tool RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})

if(GLAIVE_ARROW_FROM_WHEEL)
  file(GLOB arrow_libraries "${GLAIVE_ARROW_DIR}/libarrow.so.*" "${GLAIVE_ARROW_DIR}/libarrow_compute.so.*"
       "${GLAIVE_ARROW_DIR}/libparquet.so.*")
  # The wheel's own run paths find the sibling libraries by $ORIGIN.
  install(FILES ${arrow_libraries} DESTINATION ${CMAKE_INSTALL_LIBDIR}/${GLAIVE_ARROW_SUBDIR})
  install(DIRECTORY "${GLAIVE_ARROW_DIR}/include/" DESTINATION ${CMAKE_INSTALL_LIBDIR}/${GLAIVE_ARROW_SUBDIR}/include)
  file(GLOB arrow_library "${GLAIVE_ARROW_DIR}/libarrow.so.*")
  list(GET arrow_library 0 arrow_library)
  get_filename_component(GLAIVE_ARROW_FILE "${arrow_library}" NAME)
  set(GLAIVE_PC_ARROW_CFLAGS "-I\${libdir}/${GLAIVE_ARROW_SUBDIR}/include")
  set(GLAIVE_PC_ARROW_LIBS
    "-L\${libdir}/${GLAIVE_ARROW_SUBDIR} -l:${GLAIVE_ARROW_FILE} -Wl,-rpath,\${libdir}/${GLAIVE_ARROW_SUBDIR} -Wl,-rpath,\${libdir}")
  set(GLAIVE_PC_REQUIRES "")
else()
  set(GLAIVE_PC_ARROW_CFLAGS "")
  set(GLAIVE_PC_ARROW_LIBS "")
  set(GLAIVE_PC_REQUIRES "arrow")
endif()

configure_package_config_file(cmake/glaiveConfig.cmake.in "${CMAKE_BINARY_DIR}/glaiveConfig.cmake"
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/glaive)
write_basic_package_version_file("${CMAKE_BINARY_DIR}/glaiveConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_BINARY_DIR}/glaiveConfig.cmake" "${CMAKE_BINARY_DIR}/glaiveConfigVersion.cmake"
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/glaive)
foreach(name glaive glaive_reader)
  set(GLAIVE_PC_NAME ${name})
  configure_file(cmake/glaive.pc.in "${CMAKE_BINARY_DIR}/${name}.pc" @ONLY)
  install(FILES "${CMAKE_BINARY_DIR}/${name}.pc" DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()
