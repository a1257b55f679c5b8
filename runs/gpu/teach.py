#!/usr/bin/env python3
"""Points for faces that nobody labelled, and first weights for small networks, on a GPU in minutes.

Teachers (networks.Teacher) learn from all labelled photos but a part of their own, and then place points on every other
face: on those without labels all teachers together, on a labelled face the one that never saw it. OUT/taught holds these
photos (links) with a .pts file each, for `taught` of `lineament train`. Then students, which are lists of layers as
`lineament train --print-network NAME` writes them, learn from both; each leaves OUT/NAME.safetensors, a checkpoint for
`start` of `lineament train`. runs/lite.sh shows all of it. Needs: pip install torch pillow safetensors.
"""

import argparse
import json
import os
import random
import tempfile

import torch
import torch.multiprocessing as processes

from faces import Faces, is_validation, labelled, found, squares, unknown, write_pts
from learn import Course, inter_ocular, learn, look, nme
from networks import Listed, Teacher

VALIDATION_SHARE = 0.05  # as in runs/lite.toml
NONFACE_HOLDOUT = 0.25
LOOKS = 12
# Teachers do not know a face whose looks spread by more than this share of the eye distance.
MOST_SPREAD = 0.035


def log(text):
    print(text, flush=True)


def part(data, index):
    return data["patches"][index], data["points"][index]


def begin_fast(seed):
    random.seed(seed)
    torch.manual_seed(seed)
    torch.backends.cudnn.benchmark = True
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.set_num_threads(2)


def teacher(k, args, tmp):
    begin_fast(args.seed + k)
    data = torch.load(f"{tmp}/data.pt", map_location=args.device)
    own, validation = data["own"], data["validation"]
    index = torch.arange(len(own["patches"]), device=own["patches"].device)
    seen, unseen = index[index % args.teachers != k], index[index % args.teachers == k]
    network = Teacher(args.width)
    network.begin(own["points"].mean(0).cpu())
    course = Course(part(own, seen), nonfaces=data["nonfaces"], nonface_share=0.06, shape=0.08)
    network = learn(f"teacher {k}", network, Teacher.SIDE, course, part(validation, slice(None)), args.teacher_seconds,
                    args.batch, 1.5e-3, args.seed + k, log, decay=0.05)  # fmt: skip
    generator = torch.Generator(own["patches"].device).manual_seed(k)
    at = lambda patches: [t.cpu() for t in look(network, patches, Teacher.SIDE, 0.4, generator, LOOKS)]
    torch.save({"unseen": unseen.cpu(), "own": at(own["patches"][unseen]), "validation": at(validation["patches"]),
                "taught": at(data["taught"])}, f"{tmp}/teacher{k}.pt")  # fmt: skip


def student(path, args, tmp):
    from safetensors.torch import save_file

    begin_fast(args.seed)
    name = os.path.splitext(os.path.basename(path))[0]
    data = torch.load(f"{tmp}/data.pt", map_location=args.device)
    own, lesson = part(data["own"], slice(None)), torch.load(f"{tmp}/lesson.pt", map_location=args.device)
    network = Listed(json.load(open(path)))
    network.begin(own[1].mean(0).cpu())
    course = Course(own, (lesson["patches"], lesson["points"]), data["nonfaces"], args.taught_share, shape=0.05)
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

    save(learn(name, network, side, course, validation, args.student_seconds, args.batch, args.rate, args.seed, log, save=save))


def together(work, items, args, tmp):
    """Each item in a process of its own."""
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
    parser.add_argument("--students", nargs="*", default=[], help="NAME.json of each, see above")
    parser.add_argument("--out", required=True)
    parser.add_argument("--teachers", type=int, default=4)
    parser.add_argument("--width", type=float, default=1.0, help="of the teachers")
    parser.add_argument("--teacher-seconds", type=float, default=200)
    parser.add_argument("--student-seconds", type=float, default=200)
    parser.add_argument("--taught-share", type=float, default=0.6, help="of the students' faces")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--rate", type=float, default=3e-3, help="the students' highest step size")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()
    os.makedirs(args.out, exist_ok=True)

    everything = labelled(args.photos)
    held = [item for item in everything if is_validation(item[0], VALIDATION_SHARE)]
    own = [item for item in everything if not is_validation(item[0], VALIDATION_SHARE)]
    others = unknown(found(args.others, args.photos), everything) if args.others else []
    others = [item for item in others if not is_validation(item[0], VALIDATION_SHARE)]
    guessed = others + (found(args.found, args.unlabelled) if args.found else [])
    own, held, guessed = [Faces(items, args.device) for items in (own, held, guessed)]
    nonfaces = squares(args.nonfaces, args.device, lambda name: not is_validation(name, NONFACE_HOLDOUT))
    log(f"{len(own)} labelled faces, {len(held)} for validation, {len(guessed)} without labels, {len(nonfaces)} no faces")

    with tempfile.TemporaryDirectory() as tmp:
        both = lambda faces: {"patches": faces.patches.cpu(), "points": faces.points.cpu()}
        torch.save({"own": both(own), "validation": both(held), "taught": guessed.patches.cpu(), "nonfaces": nonfaces.cpu()}, f"{tmp}/data.pt")
        if args.teachers:
            together(teacher, range(args.teachers), args, tmp)
            lesson = merge(args, tmp, own, held, guessed)
            torch.save(lesson, f"{tmp}/lesson.pt")
            torch.save({key: value for key, value in lesson.items() if key != "patches"}, f"{args.out}/lesson.pt")
        else:  # of an earlier run
            lesson = torch.load(f"{args.out}/lesson.pt")
            lesson["patches"] = torch.cat([own.patches.cpu(), guessed.patches.cpu()])[lesson["index"]]
            torch.save(lesson, f"{tmp}/lesson.pt")
        together(student, args.students, args, tmp)


def merge(args, tmp, own, held, guessed):
    """All teachers' points as a lesson; writes them as .pts files beside links to the photos."""
    answers = [torch.load(f"{tmp}/teacher{k}.pt") for k in range(args.teachers)]
    mean = lambda key: torch.stack([a[key][0] for a in answers])
    log("validation of all teachers together: %.3f %.3f" % nme(mean("validation").mean(0), held.points.cpu()))
    points = own.points.cpu().clone()
    sure = torch.zeros(len(points), dtype=torch.bool)
    for answer in answers:
        points[answer["unseen"]] = answer["own"][0]
        sure[answer["unseen"]] = answer["own"][1] < MOST_SPREAD
    log("labelled faces by the teacher that did not see them: %.3f %.3f" % nme(points, own.points.cpu()))
    taught = mean("taught")
    apart = (taught - taught.mean(0)).norm(dim=-1).mean((0, 2)) / inter_ocular(taught.mean(0))
    sure = torch.cat([sure, apart < MOST_SPREAD])
    points = torch.cat([points, taught.mean(0)])
    log(f"teachers are apart by {100 * apart.median():.2f} % (median); sure of {int(sure.sum())} of {len(sure)} faces")
    index = sure.nonzero()[:, 0]
    os.makedirs(f"{args.out}/taught", exist_ok=True)
    for i in index.tolist():
        faces, k = (own, i) if i < len(own) else (guessed, i - len(own))
        path = faces.items[k][0]
        stem = f"{args.out}/taught/{os.path.splitext(os.path.basename(path))[0]}.{'own' if faces is own else k}"
        if not os.path.lexists(f"{stem}.jpg"):
            os.symlink(os.path.abspath(path), f"{stem}.jpg")
        write_pts(f"{stem}.pts", faces.image_points(k, points[i].numpy()))
    patches = torch.cat([own.patches.cpu(), guessed.patches.cpu()])[index]
    return {"patches": patches, "points": points[index], "index": index}


if __name__ == "__main__":
    main()
