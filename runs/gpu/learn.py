"""The training loop of teachers and students: for a given time, on crops that are augmented anew each time."""

import copy
import math
import time

import torch

from augment import augmented, cut, mirrored, normalised
from common import common
from faces import REACH, base_grid


class Samples:
    """What is learned from: faces that people labelled, pseudo-labelled faces, and photos without faces."""

    def __init__(self, own, pseudo_labelled=None, nonfaces=None, pseudo_labelled_share=0.5, nonface_share=0.15, shape=0.06):
        self.own, self.pseudo_labelled, self.nonfaces = own, pseudo_labelled, nonfaces
        self.pseudo_labelled_share = pseudo_labelled_share if pseudo_labelled is not None else 0.0
        self.nonface_share, self.shape = nonface_share, shape

    def batch(self, n, side, generator):
        """Crops, points, and how many of them people labelled, which come first; the last `nonface_share` of the crops show no face."""
        device = self.own[0].device
        empty = int(n * self.nonface_share)
        pseudo_labelled = int((n - empty) * self.pseudo_labelled_share)
        own = n - empty - pseudo_labelled
        pick = lambda patches, k: torch.randint(len(patches), (k,), device=device, generator=generator)
        parts = []
        for faces, k in ((self.own, own), (self.pseudo_labelled, pseudo_labelled)):
            if k:
                index = pick(faces[0], k)
                parts.append(cut(faces[0][index], faces[1][index], side, 1.0, generator, self.shape))
        crops, points = torch.cat([c for c, _ in parts]), torch.cat([p for _, p in parts])
        crops = torch.cat([crops, self.no_faces(empty, side, pick, generator)])
        return normalised(augmented(crops, generator)), points, own

    def no_faces(self, n, side, pick, generator):
        """Crops of photos without faces, and crops next to a face."""
        device = self.own[0].device
        uniform = lambda k: torch.rand(k, device=device, generator=generator)
        next_to = n // 4
        squares = self.nonfaces[pick(self.nonfaces, n - next_to)]
        scale = uniform(n - next_to) * 0.9 + 0.1
        center = (2 * uniform(2 * (n - next_to)).view(-1, 2) - 1) * (1 - scale[:, None])
        a = window(squares, center, scale, side)
        faces = self.own[0][pick(self.own[0], next_to)]
        angle, away = uniform(next_to) * 2 * math.pi, (0.6 + 0.4 * uniform(next_to)) * 2 / REACH
        center = torch.stack([angle.cos() * away, angle.sin() * away], -1)
        b = window(faces, center, (0.5 + 0.8 * uniform(next_to)) / REACH, side)
        return torch.cat([a, b])


def window(patches, center, scale, side):
    """Squares of the patches, `center` and `scale` from -1 to 1 over them."""
    grid = base_grid(side, patches.device)[None] * scale[:, None, None, None] + center[:, None, None]
    return torch.nn.functional.grid_sample(patches[:, None].float(), grid, padding_mode="border", align_corners=False)


def loss_of(outputs, points, own):
    """As lineament_train::landmarks::loss: likelihood, plain distance, cross entropy of the face score; and the distance.

    The first `len(points)` samples show a face, and people labelled the first `own` of them. tools/torch_loss.py compares
    this function with the trainer's.
    """
    faces, knobs = len(points), common.loss
    least, most = knobs["log_error_range"]
    distance = ((outputs["points"][:faces].view(-1, 68, 2) - points).square().sum(-1) + knobs["least_square"]).sqrt()
    raw = outputs["log_errors"][:faces]
    clamped = raw.detach().clamp(least, most)
    # Beyond the range the gradient may only lead back.
    slope = 1 - distance.detach() * (-clamped).exp()
    leads_out = ((raw > most) & (slope < 0)) | ((raw < least) & (slope > 0))
    # A larger network's points do not tell how large a network's errors are.
    is_own = torch.arange(faces, device=raw.device)[:, None] < own
    log_error = torch.where(is_own & ~leads_out, raw - raw.detach() + clamped, clamped)
    likelihood = distance * (-log_error).exp() + log_error
    label = torch.zeros_like(outputs["score"])
    label[:faces] = 1
    score = torch.nn.functional.binary_cross_entropy_with_logits(outputs["score"], label)
    plain = knobs["plain_weight"] / knobs["plain_unit"] * distance.mean()
    loss = faces / len(label) * (likelihood.mean() + plain) + knobs["score_weight"] * score
    return loss, distance.detach().mean()


@torch.no_grad()
def predict(network, patches, side, jitter, generator, passes=8, size=1024):
    """Mean of the points of several passes, every second one mirrored, in the crop frame; and their spread."""
    network.eval()
    means, spreads = [], []
    for start in range(0, len(patches), size):
        part = patches[start : start + size]
        passed = []
        for k in range(passes):
            # The frame of a pass follows from where it moves known points: those of a unit frame.
            unit = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], device=part.device).expand(len(part), 3, 2)
            crops, frame = cut(part, unit, side, jitter, generator, mirror=False)
            flip = k % 2 == 1
            crops = normalised(crops)
            with torch.autocast("cuda", torch.bfloat16, enabled=part.is_cuda):
                points = network(crops.flip(3) if flip else crops)["points"].view(-1, 68, 2)
            points = mirrored(points) if flip else points
            origin, x, y = frame[:, 0], frame[:, 1] - frame[:, 0], frame[:, 2] - frame[:, 0]
            back = torch.linalg.inv(torch.stack([x, y], -1))
            passed.append((points - origin[:, None]) @ back.transpose(1, 2))
        passed = torch.stack(passed)
        means.append(passed.mean(0))
        spreads.append((passed - passed.mean(0)).norm(dim=-1).mean((0, 2)) / inter_ocular(passed.mean(0)))
    return torch.cat(means), torch.cat(spreads)


def inter_ocular(points):
    right, left = common.topology["outer_eye_corners"]
    return (points[:, right] - points[:, left]).norm(dim=-1)


def nme(points, truth):
    """Mean distance in percent of the distance of the outer eye corners: of 68 and of the 51 inner points."""
    share = 100 * (points - truth).norm(dim=-1) / inter_ocular(truth)[:, None]
    return share.mean().item(), share[:, common.topology["first_inner_point"] :].mean().item()


def faster_layout(network, crops):
    """The order of channels in memory with which this network trains faster on this device."""
    times = {}
    for layout in (torch.channels_last, torch.contiguous_format):
        trial, x = copy.deepcopy(network).to(memory_format=layout), crops.contiguous(memory_format=layout)
        for step in range(12):
            if step == 2:
                x[0, 0, 0, 0].item()  # waits for the steps before
                began = time.time()
            with torch.autocast(x.device.type, torch.bfloat16, enabled=x.is_cuda):
                outputs = trial(x)
            sum(y.mean() for y in outputs.values()).backward()
        next(trial.parameters()).grad.sum().item()
        times[layout] = time.time() - began
    return min(times, key=times.get)


def learn(name, network, side, samples, validation, seconds, batch, rate, seed, log, decay=0.01, save=None):
    """Trains for that many seconds; returns the EMA of the network. `validation`: patches and points. `save` gets the EMA
    at each report, so that a run that is stopped early is not lost."""
    device = samples.own[0].device
    generator = torch.Generator(device).manual_seed(seed)
    network = network.to(device)
    layout = faster_layout(network, samples.batch(batch, side, generator)[0])
    network = network.to(memory_format=layout)
    ema = copy.deepcopy(network)
    matrices = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]
    adam = torch.optim.AdamW(groups, rate, betas=(0.9, 0.99), fused=device.type == "cuda")
    pairs = list(zip(ema.state_dict().values(), network.state_dict().values()))
    floats = [(a, b) for a, b in pairs if a.is_floating_point()]
    log(f"{name}: {layout}")
    began, step, next_report, distances = time.time(), 0, 0.0, []
    while (done := (time.time() - began) / seconds) < 1:
        # By the clock: rises for the first 4 %, then half a cosine.
        share = min(done / 0.04, 0.5 + 0.5 * math.cos(math.pi * max(0.0, done - 0.04) / 0.96))
        for group in adam.param_groups:
            group["lr"] = max(rate * share, 1e-6)
        network.train()
        crops, points, own = samples.batch(batch, side, generator)
        crops = crops.contiguous(memory_format=layout)
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            outputs = network(crops)
        loss, distance = loss_of(outputs, points, own)
        adam.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0, foreach=True)
        adam.step()
        step += 1
        with torch.no_grad():
            keep = min(0.999, step / (step + 10))
            torch._foreach_lerp_([a for a, _ in floats], [b for _, b in floats], 1 - keep)
        distances.append(distance)
        if done >= next_report:
            next_report += 0.1
            for a, b in pairs:
                if not a.is_floating_point():
                    a.copy_(b)
            placed, _ = predict(ema, validation[0], side, 0.3, generator, passes=2)
            mean = torch.stack(distances).mean().item()
            distances.clear()
            both = nme(placed, validation[1])
            if save:
                save(ema)
            log(f"{name} {time.time() - began:4.0f} s, step {step}: distance {mean:.4f}, validation {both[0]:.3f} {both[1]:.3f}")
    placed, _ = predict(ema, validation[0], side, 0.3, generator, passes=2)
    both = nme(placed, validation[1])
    log(f"{name} done, {step} steps of {batch}: validation {both[0]:.3f} {both[1]:.3f}")
    return ema
