#!/usr/bin/env python3
"""Pseudo-labels: points for faces that nobody labelled; and first weights for small networks, on a GPU in minutes.

Each teacher (networks.Teacher) learns from all labelled photos except for a part of its own, and then places points on
other faces: all teachers together on faces without labels, and on a labelled face the one that never saw it.
OUT/pseudo_labelled holds these photos (links) with a .pts file each, for `pseudo_labelled` of `lineament train`. Then
students, which are lists of layers as `lineament train --network-json NAME` writes them, learn from both; each leaves
OUT/NAME.safetensors, a checkpoint for `start` of `lineament train`. runs/lite.sh shows all of it.
Needs Python 3.11 and: pip install torch pillow safetensors
"""

import argparse
import json
import os
import random
import tempfile
import tomllib

import torch
import torch.multiprocessing as processes

from common import common
from faces import Faces, is_validation, labelled, found, squares, unknown, write_pts
from learn import Samples, inter_ocular, learn, nme, predict
from networks import Listed, Teacher

PASSES = 12
# The teachers are not sure of a face where their passes spread by more than this share of the eye distance.
MOST_SPREAD = 0.035


def log(text):
    print(text, flush=True)


def part(data, index):
    return data["patches"][index], data["points"][index]


def begin(args, seed):
    """Of each process: the definitions, the seed, and what makes it fast."""
    common.read(args.students[0])
    random.seed(seed)
    torch.manual_seed(seed)
    torch.backends.cudnn.benchmark = True
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.set_num_threads(2)


def teacher(k, args, tmp):
    begin(args, args.seed + k)
    data = torch.load(f"{tmp}/data.pt", map_location=args.device)
    own, validation = data["own"], data["validation"]
    index = torch.arange(len(own["patches"]), device=own["patches"].device)
    seen, unseen = index[index % args.teachers != k], index[index % args.teachers == k]
    network = Teacher(args.width)
    network.begin(own["points"].mean(0).cpu())
    samples = Samples(part(own, seen), nonfaces=data["nonfaces"], nonface_share=0.06, shape=0.08)
    network = learn(f"teacher {k}", network, Teacher.SIDE, samples, part(validation, slice(None)), args.teacher_seconds,
                    args.batch, 1.5e-3, args.seed + k, log, decay=0.05)  # fmt: skip
    generator = torch.Generator(own["patches"].device).manual_seed(k)
    at = lambda patches: [t.cpu() for t in predict(network, patches, Teacher.SIDE, 0.4, generator, PASSES)]
    torch.save({"unseen": unseen.cpu(), "own": at(own["patches"][unseen]), "validation": at(validation["patches"]),
                "unlabelled": at(data["unlabelled"])}, f"{tmp}/teacher{k}.pt")  # fmt: skip


def student(path, args, tmp):
    from safetensors.torch import save_file

    begin(args, args.seed)
    name = os.path.splitext(os.path.basename(path))[0]
    data = torch.load(f"{tmp}/data.pt", map_location=args.device)
    own, labels = part(data["own"], slice(None)), torch.load(f"{tmp}/pseudo_labels.pt", map_location=args.device)
    network = Listed(common.read(path))
    network.begin(own[1].mean(0).cpu())
    samples = Samples(own, (labels["patches"], labels["points"]), data["nonfaces"], args.pseudo_labelled_share, shape=0.05)
    validation = part(data["validation"], slice(None))
    side = network.shapes[0][1]

    def save(network):
        """A checkpoint as lineament_train::checkpoint reads it."""
        values, statistics = network.rows(network.state_dict())
        zeros = torch.zeros_like(values)
        rows = {"values": values, "statistics": statistics, "adam.mean": zeros, "adam.square": zeros.clone(),
                "average.values": values.clone(), "average.statistics": statistics.clone()}  # fmt: skip
        save_file(rows, f"{args.out}/{name}.part", {"steps": "0", "losses": "", "seconds": "0"})
        os.replace(f"{args.out}/{name}.part", f"{args.out}/{name}.safetensors")

    save(learn(name, network, side, samples, validation, args.student_seconds, args.batch, args.rate, args.seed, log, save=save))


def together(work, items, args, tmp):
    """Runs `work` on each item in a process of its own."""
    if args.device == "cpu":
        for item in items:
            work(item, args, tmp)
        return
    context = processes.get_context("spawn")
    running = [context.Process(target=work, args=(item, args, tmp)) for item in items]
    for process in running:
        process.start()
    for process in running:
        process.join()
        if process.exitcode:
            raise SystemExit(f"{work.__name__} ended with {process.exitcode}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", required=True, help="folder of photos with .pts files")
    parser.add_argument("--others", help="table of `lineament run PHOTOS --format json`: their faces without labels")
    parser.add_argument("--unlabelled", help="folder of photos without labels")
    parser.add_argument("--found", help="table of `lineament run UNLABELLED --format json`")
    parser.add_argument("--nonfaces", required=True, help="folder of photos without faces")
    parser.add_argument("--students", nargs="+", required=True, help="NAME.json of each, see above")
    parser.add_argument("--config", required=True, help="configuration of `lineament train`: the shares that are held back")
    parser.add_argument("--out", required=True)
    parser.add_argument("--teachers", type=int, default=4)
    parser.add_argument("--width", type=float, default=1.0, help="of the teachers")
    parser.add_argument("--teacher-seconds", type=float, default=200)
    parser.add_argument("--student-seconds", type=float, default=200)
    parser.add_argument("--pseudo-labelled-share", type=float, default=0.6, help="of the students' faces")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--rate", type=float, default=3e-3, help="the students' highest step size")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()
    os.makedirs(args.out, exist_ok=True)

    common.read(args.students[0])
    with open(args.config, "rb") as file:
        config = tomllib.load(file)
    share, holdout = (config.get(key, common.split[key]) for key in ("validation_share", "nonface_holdout"))
    everything = labelled(args.photos)
    held = [item for item in everything if is_validation(item[0], share)]
    own = [item for item in everything if not is_validation(item[0], share)]
    others = unknown(found(args.others, args.photos), everything) if args.others else []
    others = [item for item in others if not is_validation(item[0], share)]
    unlabelled = others + (found(args.found, args.unlabelled) if args.found else [])
    own, held, unlabelled = [Faces(items, args.device) for items in (own, held, unlabelled)]
    nonfaces = squares(args.nonfaces, args.device, lambda name: not is_validation(name, holdout))
    log(f"{len(own)} labelled faces, {len(held)} for validation, {len(unlabelled)} without labels, {len(nonfaces)} photos without faces")

    with tempfile.TemporaryDirectory() as tmp:
        both = lambda faces: {"patches": faces.patches.cpu(), "points": faces.points.cpu()}
        torch.save({"own": both(own), "validation": both(held), "unlabelled": unlabelled.patches.cpu(), "nonfaces": nonfaces.cpu()}, f"{tmp}/data.pt")
        if args.teachers:
            together(teacher, range(args.teachers), args, tmp)
            labels = merge(args, tmp, own, held, unlabelled)
            torch.save(labels, f"{tmp}/pseudo_labels.pt")
            torch.save({key: value for key, value in labels.items() if key != "patches"}, f"{args.out}/pseudo_labels.pt")
        else:  # of an earlier run
            labels = torch.load(f"{args.out}/pseudo_labels.pt")
            labels["patches"] = torch.cat([own.patches.cpu(), unlabelled.patches.cpu()])[labels["index"]]
            torch.save(labels, f"{tmp}/pseudo_labels.pt")
        together(student, args.students, args, tmp)


def merge(args, tmp, own, held, unlabelled):
    """The pseudo-labels of all teachers; writes them as .pts files next to links to the photos."""
    answers = [torch.load(f"{tmp}/teacher{k}.pt") for k in range(args.teachers)]
    mean = lambda key: torch.stack([a[key][0] for a in answers])
    log("validation of all teachers together: %.3f %.3f" % nme(mean("validation").mean(0), held.points.cpu()))
    points = own.points.cpu().clone()
    sure = torch.zeros(len(points), dtype=torch.bool)
    for answer in answers:
        points[answer["unseen"]] = answer["own"][0]
        sure[answer["unseen"]] = answer["own"][1] < MOST_SPREAD
    log("labelled faces by the teacher that did not see them: %.3f %.3f" % nme(points, own.points.cpu()))
    placed = mean("unlabelled")
    apart = (placed - placed.mean(0)).norm(dim=-1).mean((0, 2)) / inter_ocular(placed.mean(0))
    sure = torch.cat([sure, apart < MOST_SPREAD])
    points = torch.cat([points, placed.mean(0)])
    log(f"teachers are apart by {100 * apart.median():.2f} % (median); sure of {int(sure.sum())} of {len(sure)} faces")
    index = sure.nonzero()[:, 0]
    os.makedirs(f"{args.out}/pseudo_labelled", exist_ok=True)
    for i in index.tolist():
        faces, k = (own, i) if i < len(own) else (unlabelled, i - len(own))
        path = faces.items[k][0]
        stem = f"{args.out}/pseudo_labelled/{os.path.splitext(os.path.basename(path))[0]}.{'own' if faces is own else k}"
        if not os.path.lexists(f"{stem}.jpg"):
            os.symlink(os.path.abspath(path), f"{stem}.jpg")
        write_pts(f"{stem}.pts", faces.image_points(k, points[i].numpy()))
    patches = torch.cat([own.patches.cpu(), unlabelled.patches.cpu()])[index]
    return {"patches": patches, "points": points[index], "index": index}


if __name__ == "__main__":
    main()
