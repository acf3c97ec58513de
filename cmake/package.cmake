# ./dev package: a .deb of what `cmake --install` installs, with the packages its libraries come from as dependencies.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME vesal)
set(CPACK_PACKAGE_CONTACT "vesal")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "medical-image AI bundles, run natively")
set(CPACK_PACKAGE_DESCRIPTION
    "Runs, judges, retrains and serves MONAI Model Zoo bundles without Python: scans in, masks on the scans' own grids out, and a DICOM node for the PACS.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# What no library names: a fast matrix product for libtorch, and the letters of reports.
set(CPACK_DEBIAN_PACKAGE_DEPENDS "libopenblas0-pthread, fonts-dejavu-core")
install(FILES deploy/vesal-dicom.service DESTINATION share/doc/vesal/examples)
install(FILES README.md README.vi.md CHANGELOG.md LICENSE DESTINATION share/doc/vesal)
install(DIRECTORY docs/ DESTINATION share/doc/vesal/docs)
include(CPack)
