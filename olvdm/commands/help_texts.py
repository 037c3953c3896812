"""What the help of each command says beside its options: examples that teach."""

DESCRIPTION = "Make short videos, and keep track of the objects in them."
EPILOG = """\
examples:
  olvdm generate "a red circle moves right" --checkpoint checkpoints/olvdm --output clip.mp4
  olvdm inspect clip.mp4 --output inspection
  olvdm train autoencoder --preset smoke --output runs/autoencoder
  olvdm COMMAND --help           explains one command, with more examples

exit codes: 0 done, or a training stopped cleanly; 1 a bug; 2 bad arguments or input;
3 numbers that are not finite; 4 storage that fails; 130 interrupted
"""
TRAIN_EPILOG = """\
A whole model is three trainings, each of which reads the one before, and a package.

examples:
  olvdm train autoencoder --preset cpu --output runs/autoencoder
  olvdm train slots --preset cpu --autoencoder runs/autoencoder/final --output runs/slots
  olvdm train denoiser --preset cpu --autoencoder runs/autoencoder/final \\
      --slots runs/slots/final --slot-loss corr --output runs/denoiser
  olvdm package --autoencoder runs/autoencoder/final --slots runs/slots/final \\
      --denoiser runs/denoiser/final --num-candidates 4 --output checkpoints/mine

Stop it with Ctrl-C: it finishes the step and saves; --resume goes on from there.
Several GPUs or machines: python -m accelerate.commands.launch -m olvdm train ...
"""
STAGE_EPILOG = """\
examples:
  olvdm train {stage} --preset smoke {parts}--output runs/{stage}
  olvdm train {stage} --preset cpu {parts}--max-steps 2000 --output runs/{stage}
  olvdm train {stage} --preset gpu {parts}{videos}--output runs/{stage}
  olvdm train {stage} --resume --output runs/{stage}

Progress is in TensorBoard's form: tensorboard --logdir runs/{stage}
"""
STAGE_HELP = {
    "autoencoder": "stage 1: clips to latents and back",
    "slots": "stage 2: slots that find the objects in the latents",
    "denoiser": "stage 3: the network that draws latents from noise and a prompt",
    "judge": "apart from the stages: a network by whose features clips are compared",
}
STAGE_PARTS = {
    "autoencoder": "",
    "slots": "--autoencoder runs/autoencoder/final ",
    "denoiser": "--autoencoder runs/autoencoder/final ",
    "judge": "",
}
STAGE_VIDEOS = "--videos my_videos "  # which all can learn from but the judge
GENERATE_EPILOG = """\
Beside clip.mp4 it writes clip-overlay.mp4 (the slots over the frames), clip-correlation.png (the
slots of all frames against each other), clip-report.html and clip.json (all settings, and the
checksum of the frames). From a comparison's run.json it draws one clip a model.

examples:
  olvdm generate "a red circle moves right and passes behind a green square" --output clip.mp4
  olvdm generate "an orange diamond moves up" --seed 7 --num-frames 32 --output long.mp4
  olvdm generate "a blue star moves left" --given first.png --output animated.mp4
  olvdm generate "a blue star moves left" --given first.png last.png --places 0 15 \\
      --output between.mp4
  olvdm generate "a blue star moves left" --given clip.mp4 --last 8 --num-frames 32 \\
      --output next.mp4
  olvdm generate --from run.json --checkpoint checkpoints --output again.mp4
"""
INSPECT_EPILOG = """\
It writes into the folder: report.html, overlay.mp4, film-strips.png, correlation.png, pair.png
(first and last frame), timeline.png, flicker.png, inspection.npz, metrics.csv, inspection.json.

examples:
  olvdm inspect clip.mp4 --output inspection
  olvdm inspect holiday.mp4 --num-slots 8 --adapt-steps 100 --output inspection
"""
EVALUATE_EPILOG = """\
It writes scores.json and scores.md: how well clips are reconstructed, how well slots find the
objects, and how well generated clips show what their prompts say. What was stopped goes on.

examples:
  olvdm evaluate --checkpoint checkpoints/lvdm --level simple --output runs/lvdm-scores
  olvdm evaluate --checkpoint checkpoints/olvdm --level simple --output runs/olvdm-scores \\
      --compare runs/lvdm-scores
  olvdm evaluate --parts reconstruction slots --num-clips 16 --output runs/quick
  olvdm evaluate --checkpoint runs/mine --judges checkpoints/judge --level ood --output runs/ood
"""
DOCTOR_EPILOG = """\
examples:
  olvdm doctor
  olvdm doctor > machine.txt    goes well with a report of a bug
"""
DATA_EPILOG = """\
examples:
  olvdm data show --level simple --num-clips 6 --output sheet.png
  olvdm data export --level full --split test --num-clips 100 --output shapes
  olvdm data scan my_videos --num-frames 16
"""
PACKAGE_EPILOG = """\
With --num-candidates 4 the model tries further noises where the slots of a clip are not steady, as
the OLVDM that ships does; it is what makes clips steadier. Without it each clip has one noise.
With --judge it puts the judges of an evaluation together; slots that shall judge were trained on
clips alone, with --consistency-weight 0 --appearance-weight 0 and a seed of their own.

examples:
  olvdm package --autoencoder runs/autoencoder/final --slots runs/slots/final \\
      --denoiser runs/denoiser/final --num-candidates 4 --output checkpoints/mine
  olvdm package --judge runs/judge/final --slots runs/judge-slots/final \\
      --output checkpoints/judge
"""
EXAMPLES_EPILOG = """\
Both models draw every example prompt from every seed, and rules choose, nobody's hand:
  typical                 the comparison of median gain
  largest gain            the one in which OLVDM gains most
  where OLVDM is worse    the one in which OLVDM loses most, if there is a loss
Gain is how much less the objects' areas vary in OLVDM's clip than in LVDM's, as a tracker of
colours sees them that no model was trained against. Each stored comparison notes its rule and the
reason, which the page shows among its settings.

example:
  olvdm examples --checkpoints checkpoints --num-seeds 4
"""
REPORT_EPILOG = """\
It writes results.md (the Results section: tables, figures, what is better and what is worse), its
figures as PNG and PDF, and results.json with what follows from the numbers; every number of the
page is found there. The same results give the same bytes. What a person has to say stands in
analysis.md in the same folder, in Markdown, and is set in under "Analysis" each time: it survives.
A change is called better or worse only where its interval, of all seeds together, leaves out 0.

examples:
  olvdm report runs/ablation/results.json --output docs
  olvdm report docs/results.json --output docs              after a change of docs/analysis.md
"""
