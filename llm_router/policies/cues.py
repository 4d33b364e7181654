"""English words that tell what a question asks for, in lower case."""

_REASONING = """
    why explain explains explained explanation because cause causes caused reason reasons prove proves proof derive
    derives analyse analyze analysis evaluate evaluates evaluation assess assesses assessment argue argues argument
    arguments infer implies imply implication implications consequence consequences recommend recommends
    recommendation should would might likely tradeoff tradeoffs strategy strategies design purpose motive motives
    justify interpret critique suppose whether
"""
_COMPARISON = """
    compare compares compared comparing comparison versus vs differ differs difference differences different
    differently similar similarities similarity alike contrast contrasts than both either neither common same or
    unlike older younger larger smaller bigger longer shorter higher lower taller better worse cheaper faster slower
    earlier
"""
_NEGATION = "not no never none nobody nothing neither nor without except unless cannot excluding lacks lack lacking"
_TIME = """
    before after since until during while between first last latest earlier earliest later previous previously next
    then ago still change changes changed already recently now currently formerly
"""
_RECKONING = """
    many much number total totals totalling sum sums average averages mean median percent percentage ratio rate
    calculate calculates calculation compute computed count counts counted per altogether combined
"""
_MEASURES = "many much old long far often tall high big large late soon early wide deep fast heavy"
_JOINTS = "who whom whose which what when where why how that of if and"

REASONING = frozenset(_REASONING.split())
COMPARISON = frozenset(_COMPARISON.split())
NEGATION = frozenset(_NEGATION.split())
TIME = frozenset(_TIME.split())
RECKONING = frozenset(_RECKONING.split())

MEASURES = frozenset(_MEASURES.split())
"""After "how", they ask for a fact."""

JOINTS = frozenset(_JOINTS.split())
"""They begin a clause or hang one thing on another."""
