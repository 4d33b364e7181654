"""`lattice llm …`: who answers, one question to them, what it cost, and their switches."""

import asyncio
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.integration.cli.process import Lattice
from tests.wire import openai_chat
from tests.wire.stub import Stub, Whole, serving
