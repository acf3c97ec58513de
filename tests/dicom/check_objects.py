"""Reads SEG, RTSTRUCT and SR files with pydicom and prints what they hold, as a viewer of its own would find it.

/usr/bin/python3 check_objects.py FILE...: one line of JSON per file: for each segment its number, volume in ml and centroid (RAS mm).
"""
import json
import sys

import numpy as np
import pydicom


def segmentation(d):
    bits = np.unpackbits(np.frombuffer(d.PixelData, np.uint8), bitorder="little")
    frames = bits[: d.NumberOfFrames * d.Rows * d.Columns].reshape(d.NumberOfFrames, d.Rows, d.Columns)
    shared = d.SharedFunctionalGroupsSequence[0]
    row = np.array(shared.PlaneOrientationSequence[0].ImageOrientationPatient[:3], float)
    down = np.array(shared.PlaneOrientationSequence[0].ImageOrientationPatient[3:], float)
    measures = shared.PixelMeasuresSequence[0]
    dy, dx = map(float, measures.PixelSpacing)
    voxel = dx * dy * float(measures.SpacingBetweenSlices) / 1000
    found = {}
    for frame, groups in zip(frames, d.PerFrameFunctionalGroupsSequence):
        origin = np.array(groups.PlanePositionSequence[0].ImagePositionPatient, float)
        y, x = np.nonzero(frame)
        points = origin + np.outer(x * dx, row) + np.outer(y * dy, down)
        found.setdefault(groups.SegmentIdentificationSequence[0].ReferencedSegmentNumber, []).append(points)
        source = groups.DerivationImageSequence[0].SourceImageSequence[0]
        assert source.ReferencedSOPInstanceUID
    return {n: (sum(map(len, p)) * voxel, np.concatenate(p).mean(0)) for n, p in found.items()}


def structures(d):
    found = {}
    for roi in d.ROIContourSequence:
        volume, moment, heights = 0.0, np.zeros(3), set()
        planes = {}
        for c in getattr(roi, "ContourSequence", []):
            assert c.ContourGeometricType == "CLOSED_PLANAR"
            p = np.array(c.ContourData, float).reshape(-1, 3)
            assert len(p) == c.NumberOfContourPoints
            planes.setdefault(c.ContourImageSequence[0].ReferencedSOPInstanceUID, []).append(p)
        for parts in planes.values():
            for p in parts:
                q = np.roll(p, -1, 0)
                cross = np.cross(p - p[0], q - p[0]) / 2
                normal = cross.sum(0) / np.linalg.norm(cross.sum(0))
                areas = cross @ normal
                volume += areas.sum()
                moment += ((p + q + p[0]) / 3 * areas[:, None]).sum(0)
        found[int(roi.ReferencedROINumber)] = (volume, moment / max(volume, 1e-9))  # of area, not yet of volume
    return found


for name in sys.argv[1:]:
    d = pydicom.dcmread(name)
    found = segmentation(d) if d.Modality == "SEG" else structures(d)
    print(json.dumps({str(n): [float(v), -float(c[0]), -float(c[1]), float(c[2])] for n, (v, c) in found.items()}))
